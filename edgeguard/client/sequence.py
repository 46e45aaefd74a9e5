"""Which numbers of one device's row have come, and which are missing."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.client.ranges import Range, Ranges

_STEPS = 10
"""A time of grace is measured in so many steps."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that a device gave out and that did not come."""

    first: int
    last: int
    state: str
    """`missing`; then `filled`, or why they will never come: `shed`, `expired`, ..."""


class Sequence:
    """The row of durable messages of one device: fed with what is heard, asked what is missing.

    A number is missing when one above it came, or the device said that it gave out more (`seq_high`), and
    `grace_ns` have passed; while a backlog still comes in, what is above it is not missing yet. What was
    before the device's first word is nobody's business here. Memory is bounded: of a row with more than
    `most_ranges` holes the oldest part is forgotten.
    """

    def __init__(self, grace_ns: int, most_ranges: int = 1000) -> None:
        self._grace_ns = grace_ns
        self._most_ranges = most_ranges
        self._base: int | None = None
        self._here = Ranges()
        self._missing = Ranges()
        self._closed: list[Gap] = []
        self._due: list[tuple[int, int]] = []
        self._highest = 0
        self._heard_ns = 0

    @property
    def highest(self) -> int:
        """The highest number that came."""
        return self._highest

    @property
    def missing(self) -> list[Range]:
        """The gaps that are open."""
        return list(self._missing)

    def heard(self, seq: int, now_ns: int) -> bool:
        """A message came; False if it had come, or been explained, before."""
        self._begin(seq - 1)
        if seq > self._highest:
            self._highest = seq
            self._heard_ns = now_ns
            self._expect(seq - 1, now_ns)
        if seq in self._here:
            return False
        self._here.add(seq, seq)
        self._close(seq, seq, "filled")
        self._stay_small()
        return True

    def told(self, seq_high: int, now_ns: int) -> None:
        """The device said which number is the highest that it gave out."""
        self._begin(seq_high)
        if seq_high > self._highest:
            self._expect(seq_high, now_ns)

    def explain(self, first: int, last: int, reason: str) -> None:
        """These numbers will never come."""
        if self._base is not None:
            self._here.add(max(first, self._base + 1), last)
            self._close(first, last, reason)

    def look(self, now_ns: int) -> list[Gap]:
        """What is news: gaps that were filled or explained, then new ones."""
        news, self._closed = self._closed, []
        while self._due and self._due[0][0] <= now_ns:
            _, horizon = self._due.pop(0)
            if horizon > self._highest and now_ns - self._heard_ns < self._grace_ns:
                self._due.append((self._heard_ns + self._grace_ns, horizon))
                horizon = self._highest
            news += self._judge(horizon)
        return news

    def _judge(self, horizon: int) -> list[Gap]:
        holes = self._here.missing((self._base or 0) + 1, horizon)
        news = [Gap(*part, "missing") for hole in holes for part in self._missing.missing(*hole)]
        for gap in news:
            self._missing.add(gap.first, gap.last)
        return news

    def _begin(self, base: int) -> None:
        if self._base is None:
            self._base = self._highest = max(base, 0)

    def _expect(self, horizon: int, now_ns: int) -> None:
        """All up to `horizon` shall be here when the grace is over, to the next of its steps."""
        step_ns = max(self._grace_ns // _STEPS, 1)
        due_ns = (now_ns + self._grace_ns) // step_ns * step_ns + step_ns
        if self._due and self._due[-1][0] == due_ns:
            horizon = max(horizon, self._due.pop()[1])
        self._due.append((due_ns, horizon))

    def _close(self, first: int, last: int, state: str) -> None:
        for part in list(self._missing.common(first, last)):
            self._missing.remove(*part)
            before = self._closed[-1] if self._closed else None
            if before and before.state == state and before.last == part[0] - 1:
                self._closed[-1] = Gap(before.first, part[1], state)
            else:
                self._closed.append(Gap(*part, state))

    def _stay_small(self) -> None:
        while len(self._here) > self._most_ranges:
            first, last = next(iter(self._here))
            self._here.remove(first, last)
            self._missing.remove(0, last)
            self._base = max(self._base or 0, last)
