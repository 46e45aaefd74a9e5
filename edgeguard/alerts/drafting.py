"""Makes the messages that must arrive ready for the outbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeguard.alerts.blind import coverage_message
from edgeguard.alerts.durable import Draft, MessageClass, worth_of
from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    Message,
    alert_message,
    clock_message,
    closing_message,
    health_message,
)
from edgeguard.alerts.outbox_file import Database
from edgeguard.clock import Clock
from edgeguard.types import Alert, BlindTime, CoverageDay


@dataclass(frozen=True, slots=True)
class ClockStep:
    """UTC was stepped forward by so much."""

    step_ms: float


@dataclass(frozen=True, slots=True)
class Closing:
    """The last word on an alert that an earlier run left open."""

    left_open: Message


BlindNear = Callable[[Message], Sequence[BlindTime] | None]
"""The blind time near an alert that an earlier run told; None while that is not known."""
Item = Alert | Closing | ClockStep | CoverageDay | HealthReport


class Drafter:
    """`draft` is what `Outbox.commit` needs. `quality` is asked once per `refresh`, not per message."""

    def __init__(
        self,
        identity: Identity,
        clock: Clock,
        clock_quality: Callable[[], ClockQuality],
        blind_near: BlindNear = lambda _told: (),
    ) -> None:
        self._blind_near = blind_near
        self._identity = identity
        self._topics = identity.topics
        self._clock = clock
        self._ask_quality = clock_quality
        self.quality = clock_quality()

    def refresh(self) -> None:
        self.quality = self._ask_quality()

    def draft(self, item: Item, seq: int, _db: Database) -> Draft:
        if isinstance(item, Alert):
            now_ns = self._clock.monotonic_ns()
            return self._alert(alert_message(item, self._identity, seq, now_ns, self.quality))
        if isinstance(item, Closing):
            blind = self._blind_near(item.left_open) or ()
            return self._alert(closing_message(item.left_open, self._identity, seq, blind))
        now_ns = self._clock.utc_ns()
        if isinstance(item, ClockStep):
            message = clock_message(item.step_ms, self._identity, seq, now_ns, self.quality)
            return Draft(self._topics.clock, message, MessageClass.HEALTH)
        if isinstance(item, CoverageDay):
            message = coverage_message(item, self._identity, seq, now_ns, self.quality)
            return Draft(self._topics.coverage(item.day), message, MessageClass.HEALTH)
        message = health_message(item, self._identity, now_ns, seq, self.quality, seq)
        return Draft(self._topics.health_past, message, MessageClass.HEALTH)

    def _alert(self, message: Message) -> Draft:
        return Draft(self._topics.alert(message["source"], message["kind"]), message, worth_of(message))
