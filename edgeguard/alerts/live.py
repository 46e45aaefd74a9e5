"""What is now: status, health, configuration and counts as retained messages, told again at every connect."""

from __future__ import annotations

from edgeguard.alerts.configured import ConfigReport, config_message
from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    counts_message,
    encode,
    health_message,
    status_message,
)
from edgeguard.alerts.sender import Sender
from edgeguard.clock import Clock
from edgeguard.types import Counts


class LiveState:
    """Told when it is news; `online` again with each report of health, so that no old will stays."""

    def __init__(self, sender: Sender, identity: Identity, clock: Clock, custody: str) -> None:
        self._sender = sender
        self._identity = identity
        self._topics = identity.topics
        self._clock = clock
        self._custody = custody
        self._health: HealthReport | None = None
        self._health_is_news = False
        self._status_is_news = False
        self._config: ConfigReport | None = None
        self._config_is_news = False
        self._counts: dict[str, Counts] = {}
        """The newest of each camera."""
        self._counts_to_tell: set[str] = set()

    def note_health(self, report: HealthReport) -> None:
        self._health = report
        self._health_is_news = self._status_is_news = True

    def note_config(self, report: ConfigReport) -> None:
        self._config = report
        self._config_is_news = True

    def note_counts(self, counts: Counts) -> None:
        self._counts[counts.source] = counts
        self._counts_to_tell.add(counts.source)

    def connect(self) -> None:
        """Nothing is known to have been told."""
        self._health_is_news = self._status_is_news = self._config_is_news = True
        self._counts_to_tell.update(self._counts)

    def tell(self, seq_high: int | None, quality: ClockQuality) -> None:
        """What the broker has no room for stays news."""
        if self._sender.disconnected is not None:
            return
        if self._status_is_news:
            told = self._sender.retain(self._topics.status, self._status("online", seq_high))
            self._status_is_news = not told
        if self._health_is_news and self._health is not None:
            now_ns = self._clock.utc_ns()
            message = health_message(self._health, self._identity, now_ns, seq_high, quality)
            self._health_is_news = not self._sender.retain(self._topics.health, encode(message))
        if self._config_is_news and self._config is not None:
            body = encode(config_message(self._config, self._identity, self._clock.utc_ns()))
            self._config_is_news = not self._sender.retain(self._topics.config, body)
        self._tell_counts()

    def tell_stopped(self, seq_high: int | None) -> None:
        """Even where the broker has no room: if it then ends the connection, it tells the will instead."""
        self._sender.retain(self._topics.status, self._status("stopped", seq_high), at_once=True)

    def _status(self, state: str, seq_high: int | None) -> bytes:
        now_ns = self._clock.utc_ns()
        return encode(status_message(state, self._identity, now_ns, seq_high, self._custody))

    def _tell_counts(self) -> None:
        for source in sorted(self._counts_to_tell):
            message = counts_message(self._counts[source], self._identity, self._clock.utc_ns())
            if not self._sender.retain(self._topics.counts(source), encode(message)):
                return
            self._counts_to_tell.remove(source)
