"""Something was decided, and somebody must be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edgeguard.types.blind import BlindTime
from edgeguard.types.observation import Joined, Measure, Stages


class Severity(str, Enum):
    """How bad; in this order."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"
    CRITICAL = "critical"


class AlertState(str, Enum):
    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model saw or heard it."""

    name: str
    sha256: str | None
    """None for a method without weights."""
    backend: str
    """`onnxruntime-cpu`, `tensorrt`, `opencv`, `sherpa-onnx`."""


@dataclass(frozen=True, slots=True)
class ClipRef:
    """A file of evidence for one alert."""

    alert_id: str
    media_type: str
    """`image/jpeg`."""
    path: str
    """Relative to the evidence folder."""
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Alert:
    """One revision of one alert."""

    alert_id: str
    """UUIDv7; the same through all revisions, retries and restarts."""
    revision: int
    """From 1; the highest is the truth."""
    state: AlertState
    kind: str
    severity: Severity
    source: str
    rule: str
    opened_utc_ns: int
    observed_utc_ns: int
    """UTC time of the frame or sample behind this revision."""
    closed_utc_ns: int | None
    confidence: float
    summary: str
    """The why as one English sentence."""
    zone: str | None = None
    label: str | None = None
    text: str | None = None
    track_ids: tuple[int, ...] = ()
    measures: tuple[Measure, ...] = ()
    joined: tuple[Joined, ...] = ()
    """The observations that a pattern joined."""
    blind: tuple[BlindTime, ...] = ()
    """When nobody watched its sources, shortly before it or since."""
    media_ns: int | None = None
    """Time of the observation since the start of the file or scene; None for live sources."""
    stages: Stages = field(default_factory=Stages)
    decided_ns: int | None = None
    """Monotonic time of the policy's decision."""
    models: tuple[ModelRef, ...] = ()
    evidence: tuple[ClipRef, ...] = ()
    evidence_error: str | None = None
    """Why there is no evidence, where there should be."""
    drill: bool = False
