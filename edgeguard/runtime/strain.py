"""When the processor is short: what the hearing gives up, and when it takes it up again."""

from __future__ import annotations

from collections.abc import Sequence

from edgeguard.speech import Effort

GIVE_UP_S: Sequence[float] = (2.0, 4.0, 6.0)
"""By how much the hearing may lag before it gives up sentences, words, sounds."""

RECOVERED_S = 0.5
"""A lag at which it is on time."""

HOLD_S = 30.0
"""How long it is on time before it tries more again; a try that lasts so long has held."""

PATIENCE_S = 1.0
"""What was given up must have had this long to help before more is given up."""

_LONGEST_HOLD_S = 960.0


class Strain:
    """From how late the hearing is to how much of it there is time for.

    One step at a time, down as soon as it is late, up after it was on time for a while: twice as long after
    each try that failed.
    """

    def __init__(
        self, give_up_s: Sequence[float] = GIVE_UP_S, recovered_s: float = RECOVERED_S, hold_s: float = HOLD_S
    ) -> None:
        self.effort = Effort.ALL
        self._give_up_s = give_up_s
        self._recovered_s = recovered_s
        self._usual_hold_s = self._hold_s = hold_s
        self._trying = False
        self._changed_ns: int | None = None
        self._on_time_since_ns: int | None = None

    def update(self, late_s: float, now_ns: int) -> Effort:
        """`late_s`: how long the oldest sound that waits has been waiting, at `now_ns` (monotonic)."""
        if self._must_give_up(late_s, now_ns):
            self._judge_try(now_ns)
            self._move(1, now_ns)
        elif late_s > self._recovered_s:
            self._on_time_since_ns = None
        elif self._may_take_up(now_ns):
            self._move(-1, now_ns)
        return self.effort

    def _must_give_up(self, late_s: float, now_ns: int) -> bool:
        if self.effort is Effort.NOTHING or late_s < self._give_up_s[self.effort]:
            return False
        return self._changed_ns is None or now_ns - self._changed_ns >= PATIENCE_S * 1e9

    def _may_take_up(self, now_ns: int) -> bool:
        if self._on_time_since_ns is None:
            self._on_time_since_ns = now_ns
        return self.effort is not Effort.ALL and now_ns - self._on_time_since_ns >= self._hold_s * 1e9

    def _judge_try(self, now_ns: int) -> None:
        """After a try that did not hold, wait twice as long before the next."""
        if not self._trying or self._changed_ns is None:
            return
        held = now_ns - self._changed_ns >= self._hold_s * 1e9
        self._hold_s = self._usual_hold_s if held else min(2 * self._hold_s, _LONGEST_HOLD_S)

    def _move(self, steps: int, now_ns: int) -> None:
        self.effort = Effort(self.effort + steps)
        self._trying = steps < 0
        self._changed_ns, self._on_time_since_ns = now_ns, None
