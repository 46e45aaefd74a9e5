"""A pattern that makes an alert worse, instead of raising another one beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edgeguard.alerts.summary import sentence
from edgeguard.types import EVERYWHERE, Alert, Joined, Measure, Observation, Severity

_IN_ORDER = list(Severity)


@dataclass(frozen=True, slots=True)
class Raises:
    """What a pattern finds raises the alerts of `rule` that are open, or that were over `within_s` ago."""

    rule: str
    within_s: float


@dataclass(frozen=True, slots=True)
class Reason:
    """What raised an alert, and how bad it made it."""

    found: Observation
    severity: Severity

    def told(self, alert: Alert) -> Alert:
        """The alert, which says so: at this severity if it is worse, with what the pattern joined and why."""
        raised_by = Measure("raised_by", self.found.rule or "pattern")
        return replace(
            alert,
            severity=max(alert.severity, self.severity, key=_IN_ORDER.index),
            summary=f"{alert.summary}; {sentence(self.found)}",
            measures=(*alert.measures, raised_by, *self.found.measures),
            joined=self.found.joined,
        )


def concerned(alerts: Iterable[Alert], found: Observation) -> Alert | None:
    """Which of the alerts speaks of what the pattern joined: the same track rather than the same zone.

    Of those that do so equally well the newest; None if none comes from a source of theirs.
    """
    best = max(alerts, key=lambda alert: (_closeness(alert, found.joined), alert.opened_utc_ns), default=None)
    return best if best and _closeness(best, found.joined) else None


def _closeness(alert: Alert, joined: Iterable[Joined]) -> int:
    """3 for the same track, 2 for the same label in the same place, 1 for the place, 0 for another."""
    return max((_likeness(alert, one) for one in joined if one.source == alert.source), default=0)


def _likeness(alert: Alert, one: Joined) -> int:
    if {*alert.track_ids} & {*one.track_ids}:
        return 3
    if alert.zone is None or one.zone in (None, EVERYWHERE, alert.zone):
        return 1 + (alert.label == one.label)
    return 0
