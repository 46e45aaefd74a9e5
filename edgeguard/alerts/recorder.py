"""Decides which reports of health are kept as records, because nobody can be told now."""

from __future__ import annotations

from edgeguard.alerts.messages import HealthReport
from edgeguard.clock import Clock

_PATIENCE_NS = 10_000_000_000
"""A connection that comes back within this time needs no records."""
_EVERY_NS = 300_000_000_000
_UNSTEADY = frozenset({"broker"})
"""Parts whose reason changes with every attempt to reach the broker."""


class HealthRecorder:
    """While nothing is delivered: each report that says something new, and one per five minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alone_since_ns: int | None = None
        self._last: object = None
        self._next_ns = 0

    def is_worth_keeping(self, report: HealthReport, delivering: bool) -> bool:
        now_ns = self._clock.monotonic_ns()
        if delivering:
            self._alone_since_ns = self._last = None
            return False
        if self._alone_since_ns is None:
            self._alone_since_ns = now_ns
        said = _essence(report)
        known = said == self._last and now_ns < self._next_ns
        if known or now_ns - self._alone_since_ns < _PATIENCE_NS:
            return False
        self._last, self._next_ns = said, now_ns + _EVERY_NS
        return True


def _essence(report: HealthReport) -> object:
    return report.state, {
        name: (part["state"], None if name in _UNSTEADY else part["reason"])
        for name, part in report.parts.items()
    }
