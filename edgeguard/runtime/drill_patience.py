"""How long one waits for a drill that passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgeguard.runtime.drill_folder import Record

SLACK = 1.5
_CHANCE_NS = 7_200_000_000_000
"""A timer that asks hourly gets so long to hold one: a box was switched off, or its clock was set."""
_LOOK_NS = _CHANCE_NS // 2
"""No more than this counts of one look: who was suspended in between could hold none."""
_CLOCK_IS_SET_NS = 1_577_836_800_000_000_000
"""2020: a box without a battery for its clock begins in 1970."""


class Patience:
    """Says when too long ago was too long; `covers` tells whether the timer may hold one at a UTC time."""

    def __init__(self, every_h: float | None, covers: Callable[[int], bool] = lambda _utc_ns: True) -> None:
        self._every_h = every_h
        self._covers = covers
        self._then_ns: int | None = None
        self._chance_ns = 0
        """For how long one could have been held, while none passed for too long."""

    def waiting(self, record: Record, utc_ns: int) -> Record:
        """Since when one is waited for: from now on, where that was not so before, or where it was in a
        future that the clock took back. A clock that was never set says nothing."""
        newest_ns = max(record.watched_utc_ns, record.passed_utc_ns or 0)
        if (
            self._every_h is None
            or utc_ns <= _CLOCK_IS_SET_NS
            or 0 < record.watched_utc_ns <= newest_ns <= utc_ns
        ):
            return record
        passed_ns = None if record.passed_utc_ns is None else min(record.passed_utc_ns, utc_ns)
        return replace(record, watched_utc_ns=utc_ns, passed_utc_ns=passed_ns)

    def look(self, record: Record, utc_ns: int, now_ns: int) -> Record:
        """Whether one is `overdue` by now. Call it often."""
        elapsed_ns = 0 if self._then_ns is None else now_ns - self._then_ns
        self._then_ns = now_ns
        if not self._is_late(record, utc_ns):
            self._chance_ns = 0
            return replace(record, overdue=False) if record.overdue else record
        if record.overdue:
            return record
        self._chance_ns += min(elapsed_ns, _LOOK_NS) if self._covers(utc_ns) else 0
        return replace(record, overdue=True) if self._chance_ns >= _CHANCE_NS else record

    def _is_late(self, record: Record, utc_ns: int) -> bool:
        if self._every_h is None or not record.watched_utc_ns:
            return False
        since_ns = max(record.passed_utc_ns or 0, record.watched_utc_ns)
        return utc_ns - since_ns > self._every_h * SLACK * 3600e9
