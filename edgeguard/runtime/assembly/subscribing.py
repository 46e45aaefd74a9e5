"""Who hears a drill at the broker, and when the timer's is due."""

from __future__ import annotations

from dataclasses import replace

from edgeguard.alerts.link import Tls
from edgeguard.alerts.topics import Topics
from edgeguard.client import Client, open_client
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config.secrets import place_of
from edgeguard.errors import ConfigError
from edgeguard.runtime.assembly.brokers import endpoint, tls_of
from edgeguard.runtime.assembly.scheduling import schedule
from edgeguard.runtime.drill_folder import Record
from edgeguard.types import drill

_EARLY_NS = 300_000_000_000
"""A timer that comes a little early comes for this drill, not for the next one."""


def subscriber(config: Config, clock: Clock) -> Client:
    """Hears the alerts of this device's drills and nothing else. Raises ConfigError for a bad secret."""
    mqtt, settings = config.mqtt, config.drill
    own = settings.username is None
    apart = replace(
        endpoint(mqtt, mqtt.password() if own else settings.password()),
        client_id=f"{mqtt.client_id}-drill",
        username=mqtt.username if own else settings.username,
        tls=_tls(config),
        session_expiry_s=0,
    )
    topics = Topics(config.site, config.device)
    return open_client(apart, [topics.alerts_of(source) for source in sorted(drill.SOURCES)], clock)


def _tls(config: Config) -> Tls | None:
    """With the subscriber's own certificate, where it has one."""
    own, tls = config.drill, tls_of(config.mqtt)
    if own.cert_file is None or own.key_file is None:
        return tls
    if tls is None:
        raise ConfigError("drill.cert_file is of no use: mqtt.tls is not enabled")
    return replace(tls, cert_file=place_of(own.cert_file), key_file=place_of(own.key_file))


def why_not_due(config: Config, record: Record, utc_ns: int) -> str | None:
    """Why the timer need not hold one now; None if it must."""
    settings = config.drill
    if not settings.enabled or settings.every_h is None:
        return "drill.every_h is not set" if settings.enabled else "drill.enabled is false"
    when = schedule(config, settings.schedule)
    if when is not None and not when.covers(utc_ns):
        return f"it is outside of the schedule {settings.schedule}"
    passed_ns = record.heard_utc_ns
    if record.reason is None and passed_ns is not None:
        left_ns = passed_ns + round(settings.every_h * 3600e9) - _EARLY_NS - utc_ns
        if 0 < left_ns <= settings.every_h * 3600e9:
            return f"the last one passed {(utc_ns - passed_ns) / 3600e9:.1f} hours ago"
    return None
