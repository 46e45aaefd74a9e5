"""Alerts about the outbox itself: it has to say when something is missing from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgeguard.alerts.durable import MessageClass
from edgeguard.alerts.ids import Uuid7
from edgeguard.clock import Clock
from edgeguard.types import Alert, AlertState, Measure, Severity, Stages

SOURCE, RULE = "outbox", "system"
_QUIET_NS = 300_000_000_000
"""Of what goes on being shed one alert in so long is enough."""


class SelfReport:
    """Makes the alerts. What is shed makes one at once, then at most one per five minutes, with the sum.

    What such an alert itself makes give way is `discount`ed: else it would be told for ever.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._new_id: Callable[[], str] = Uuid7(clock)
        self._replacements_told = 0
        self._told = 0
        self._next_ns = 0

    def news(self, replaced: Sequence[str], shed: Mapping[MessageClass, int], lost: int) -> list[Alert]:
        """What has to be said now: of an outbox that was replaced, of alerts that gave way."""
        given_up = self._given_up(shed, lost)
        return self._replaced(replaced) + ([given_up] if given_up else [])

    def _replaced(self, reasons: Sequence[str]) -> list[Alert]:
        """The outbox had to be replaced by a new one: an alert for each time that was not told yet."""
        news, self._replacements_told = reasons[self._replacements_told :], len(reasons)
        return [self._alert("outbox_damaged", reason, ()) for reason in news]

    def _given_up(self, shed: Mapping[MessageClass, int], lost: int) -> Alert | None:
        """Alerts that gave way on the disk or in memory; None where that is no news."""
        counts = {
            "warnings_shed": shed[MessageClass.WARNING],
            "alarms_shed": shed[MessageClass.ALARM],
            "never_stored": lost,
        }
        total = sum(counts.values())
        now_ns = self._clock.monotonic_ns()
        if total <= self._told or now_ns < self._next_ns:
            return None
        summary = f"{total - self._told} alerts were given up for want of room, {total} since the start"
        self._told, self._next_ns = total, now_ns + _QUIET_NS
        return self._alert("alerts_shed", summary, tuple(Measure(*one) for one in counts.items()))

    def discount(self, count: int) -> None:
        """So many gave way to an alert made here."""
        self._told += count

    def _alert(self, kind: str, summary: str, measures: tuple[Measure, ...]) -> Alert:
        now_ns = self._clock.monotonic_ns()
        utc_ns = self._clock.utc_ns()
        return Alert(
            alert_id=self._new_id(),
            revision=1,
            state=AlertState.OPENED,
            kind=kind,
            severity=Severity.ALARM,
            source=SOURCE,
            rule=RULE,
            opened_utc_ns=utc_ns,
            observed_utc_ns=utc_ns,
            closed_utc_ns=utc_ns,
            confidence=1.0,
            summary=summary,
            measures=measures,
            stages=Stages(),
            decided_ns=now_ns,
        )
