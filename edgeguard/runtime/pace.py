"""How long a part may go without a unit of its work: what it declares, and the sum that health is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The longest pause between two units of work: frames, chunks, inferences.

    A part `on_demand` may rest as long as nothing waits for it: its pause begins when something comes.
    """

    longest_s: float
    code: str
    """What is wrong once the pause is longer, as a word."""
    lacks: str
    """The same for people: `no frame came`."""
    on_demand: bool = False

    @property
    def reason(self) -> str:
        """Without the time that has passed: a reason that changes all the time would always be news."""
        return f"{self.lacks} for more than {self.longest_s:g} s"


class Pulse:
    """When work was asked for and done, in monotonic time. Its owner guards it with a lock."""

    def __init__(self, now_ns: int) -> None:
        self.worked_ns: int | None = None
        """None before the first unit of work."""
        self._asked_ns: int | None = None
        """When the oldest of what waits came."""
        self._begun_ns = now_ns

    def begin(self, now_ns: int) -> None:
        """From here on it is expected to work: a pause before that was explained otherwise."""
        self._begun_ns = now_ns

    def asked(self, now_ns: int) -> None:
        """Something came that it is to work on."""
        if self._asked_ns is None:
            self._asked_ns = now_ns

    def rest(self) -> None:
        """What came was thrown away, or lost by a failure: nothing waits until something else comes."""
        self._asked_ns = None

    def worked(self, now_ns: int) -> None:
        """One unit of work was done; what came before is no longer waited for."""
        self.worked_ns, self._asked_ns = now_ns, None

    @property
    def works(self) -> bool:
        """Whether it did a unit of work since it was expected to."""
        return self.worked_ns is not None and self.worked_ns >= self._begun_ns

    def age_s(self, now_ns: int) -> float | None:
        """Since the last unit of work."""
        return None if self.worked_ns is None else (now_ns - self.worked_ns) / 1e9

    def pause_s(self, now_ns: int, pace: Pace) -> float:
        """For how long it owes a unit of work."""
        since_ns = self._asked_ns if pace.on_demand else self.worked_ns
        if pace.on_demand and since_ns is None:
            return 0.0
        return max(0.0, (now_ns - max(self._begun_ns, since_ns or self._begun_ns)) / 1e9)
