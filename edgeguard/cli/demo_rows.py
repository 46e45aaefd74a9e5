"""What the demo shows, as plain rows, taken from the messages of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Parts = Mapping[str, Mapping[str, Any]]
"""The `parts` of a health message, by name: `camera/yard`, `outbox`, ..."""

LISTENERS = ("speech", "sounds")
"""Parts that listen to all microphones."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One camera or microphone."""

    name: str
    kind: str
    """`camera` or `microphone`."""
    state: str
    reason: str | None
    rate_per_s: float | None
    """Frames or chunks."""
    models: str
    """What looks at it or listens to it."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One message about one alert."""

    at: str
    """UTC time of day of the frame or sample."""
    severity: str
    state: str
    source: str
    kind: str
    why: str
    latency_ms: float | None
    """From the frame's or sound's arrival in the daemon to here."""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """How telling goes."""

    broker: str = "starting"
    """State of the link to the broker."""
    pending: int = 0
    """Alerts in the outbox that wait for their receipt."""
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What came out in the end."""

    alerts_by_kind: Mapping[str, int]
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    committed: int
    """Alert messages that the daemon wrote to its outbox."""
    received: int
    """Of those, the ones that arrived here."""
    folder: str
    """Where pictures and messages lie."""

    @property
    def lost(self) -> int:
        return self.committed - self.received


def source_rows(parts: Parts) -> list[SourceRow]:
    """Cameras and microphones, in the order of the health message."""
    return [
        SourceRow(
            name=name.partition("/")[2],
            kind=name.partition("/")[0],
            state=part["state"],
            reason=part["reason"],
            rate_per_s=part["rate_per_s"],
            models=_models(parts, name),
        )
        for name, part in parts.items()
        if name.startswith(("camera/", "microphone/"))
    ]


def alert_row(alert: Mapping[str, Any], latency_ms: float | None) -> AlertRow:
    return AlertRow(
        at=alert["observed_at"][11:19],
        severity=alert["severity"],
        state=alert["state"],
        source=alert["source"],
        kind=alert["kind"],
        why=alert["summary"],
        latency_ms=latency_ms,
    )


def delivery_row(parts: Parts) -> DeliveryRow:
    """Before the daemon says anything of it, nothing is delivered."""
    if not {"broker", "outbox"} <= parts.keys():
        return DeliveryRow()
    counters = parts["outbox"]["counters"]
    pending, delivered = (int(counters.get(name, 0)) for name in ("pending", "delivered"))
    return DeliveryRow(parts["broker"]["state"], pending, delivered)


def _models(parts: Parts, source: str) -> str:
    """Names of the models of the parts that watch this source."""
    kind, _, name = source.partition("/")
    watching = (f"detector/{name}", "detector") if kind == "camera" else LISTENERS
    names = [parts[part]["counters"].get("model") for part in watching if part in parts]
    return ", ".join(str(model) for model in names if model)
