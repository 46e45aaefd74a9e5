"""What is said on the wire: alert, status and health as JSON objects; `schema/` holds their schemas."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from edgeguard.alerts.topics import Topics
from edgeguard.types import Alert, AlertState, BlindTime, Counts, Joined, Measure

Message = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_PART_MEMBERS = frozenset({"state", "reason", "code", "since_utc_ns", "rate_per_s", "age_s", "age_limit_s"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks."""

    site: str
    device: str
    boot_id: str
    """A UUID per start of the daemon."""
    version: str
    started_utc_ns: int

    @property
    def topics(self) -> Topics:
        return Topics(self.site, self.device)


@dataclass(frozen=True, slots=True)
class ClockQuality:
    """How far UTC times can be trusted."""

    quality: str = "unknown"
    """`synced`, `unsynced` or `unknown`."""
    offset_ms: float | None = None
    source: str | None = None
    """`ntp` or `pps`; None: nobody sets the clock, or it is unknown."""
    max_error_ms: float | None = None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How the daemon does."""

    state: str
    """`starting`, `ok` or `degraded`."""
    parts: Mapping[str, Mapping[str, Any]]
    """Per part `state`, `reason`, `since_utc_ns`, perhaps `code`, `rate_per_s` and ages, and any counters."""
    config_sha256: str | None = None
    """Of the configuration in effect."""


def alert_message(
    alert: Alert, identity: Identity, seq: int, committed_ns: int, clock: ClockQuality
) -> Message:
    """One revision of an alert; `published_ns` and `replayed` are set when it is sent."""
    return {
        **message_head("alert", identity),
        "alert_id": alert.alert_id,
        "revision": alert.revision,
        "state": alert.state.value,
        "kind": alert.kind,
        "severity": alert.severity.value,
        "seq": seq,
        "source": alert.source,
        "opened_at": rfc3339(alert.opened_utc_ns),
        "observed_at": rfc3339(alert.observed_utc_ns),
        "closed_at": None if alert.closed_utc_ns is None else rfc3339(alert.closed_utc_ns),
        "clock": clock_member(clock),
        "rule": alert.rule,
        "zone": alert.zone,
        "label": alert.label,
        "text": alert.text,
        "tracks": [int(track_id) for track_id in alert.track_ids],
        "confidence": _confidence(alert.confidence),
        "why": [_why(measure) for measure in alert.measures],
        "joined": [_joined(observation) for observation in alert.joined],
        "blind": [_blind(gap) for gap in alert.blind],
        "summary": alert.summary,
        "media_ns": alert.media_ns,
        "stages": _stages(alert, committed_ns),
        "models": [
            {"name": model.name, "sha256": model.sha256, "backend": model.backend} for model in alert.models
        ],
        "evidence": [
            {"media_type": c.media_type, "path": c.path, "sha256": c.sha256, "size_bytes": c.size_bytes}
            for c in alert.evidence
        ],
        "evidence_error": alert.evidence_error,
        "drill": alert.drill,
        "acknowledged": None,
        "escalated_at": None,
        "replayed": False,
    }


def closing_message(
    open_alert: Message, identity: Identity, seq: int, blind: Sequence[BlindTime] = ()
) -> Message:
    """The last word on an alert that was going on when the daemon last ended: nobody watches it now.

    `blind` is the blind time near it, if that is known; else what was told of it stands.
    """
    return {
        **open_alert,
        "blind": [_blind(gap) for gap in blind] or open_alert.get("blind", []),
        **message_head("alert", identity),
        "seq": seq,
        "revision": open_alert["revision"] + 1,
        "state": AlertState.CLOSED.value,
        "closed_at": open_alert["observed_at"],
        "stages": dict.fromkeys(open_alert["stages"]),
    }


def status_message(
    state: str,
    identity: Identity,
    utc_ns: int | None = None,
    seq_high: int | None = None,
    custody: str = "puback",
) -> Message:
    """`online`, `stopped` or, as last will and so without time and `seq_high`, `offline`.

    `custody` says whose word lets the device forget a message: the broker's (`puback`) or a collector's
    (`receipt`).
    """
    return {
        **message_head("status", identity),
        "state": state,
        "version": identity.version,
        "started_at": rfc3339(identity.started_utc_ns),
        "at": None if utc_ns is None else rfc3339(utc_ns),
        "seq_high": seq_high,
        "custody": custody,
    }


def health_message(
    report: HealthReport,
    identity: Identity,
    utc_ns: int,
    seq_high: int | None,
    clock: ClockQuality,
    seq: int | None = None,
) -> Message:
    """The present state; with `seq` a durable record of it."""
    return {
        **message_head("health", identity),
        "state": report.state,
        "at": rfc3339(utc_ns),
        "seq_high": seq_high,
        "clock": clock_member(clock),
        "parts": {name: _part(part) for name, part in report.parts.items()},
        "config_sha256": report.config_sha256,
        "seq": seq,
        "replayed": False,
    }


def clock_message(step_ms: float, identity: Identity, seq: int, utc_ns: int, clock: ClockQuality) -> Message:
    """UTC was stepped forward by `step_ms` since the last message of this run."""
    return {
        **message_head("clock", identity),
        "seq": seq,
        "at": rfc3339(utc_ns),
        "step_ms": step_ms,
        "clock": clock_member(clock),
        "replayed": False,
    }


def counts_message(counts: Counts, identity: Identity, utc_ns: int) -> Message:
    return {
        **message_head("counts", identity),
        "at": rfc3339(utc_ns),
        "source": counts.source,
        "seen": dict(counts.seen),
        "moving": dict(counts.moving),
        "zones": {zone: dict(seen) for zone, seen in counts.zones.items()},
    }


def encode(message: Message) -> bytes:
    """Compact JSON in UTF-8."""
    return _compact(message).encode("utf-8", "replace")


def rfc3339(utc_ns: int) -> str:
    """`2026-05-04T03:02:01.000123Z`."""
    seconds, rest_ns = divmod(utc_ns, 1_000_000_000)
    return f"{_whole_seconds(seconds)}.{rest_ns // 1000:06d}Z"


def utc_ns_of(time: str) -> int:
    """The inverse of `rfc3339`. Raises ValueError for a time that is none, such as of February 30th."""
    since_epoch = datetime.fromisoformat(time.replace("Z", "+00:00")) - _EPOCH
    return since_epoch // timedelta(microseconds=1) * 1000


@lru_cache(maxsize=256)
def _whole_seconds(utc_s: int) -> str:
    return datetime.fromtimestamp(utc_s, timezone.utc).isoformat()[:19]


def message_head(name: str, identity: Identity) -> Message:
    return {
        "schema": f"edgeguard.{name}.v1",
        "site": identity.site,
        "device": identity.device,
        "boot_id": identity.boot_id,
    }


def _stages(alert: Alert, committed_ns: int) -> Message:
    stages = alert.stages
    return {
        "sensor_ns": stages.sensor_ns,
        "received_ns": stages.received_ns,
        "arrived_ns": stages.arrived_ns,
        "infer_start_ns": stages.infer_start_ns,
        "infer_end_ns": stages.infer_end_ns,
        "ruled_ns": stages.ruled_ns,
        "decided_ns": alert.decided_ns,
        "committed_ns": committed_ns,
        "published_ns": None,
    }


def clock_member(clock: ClockQuality) -> Message:
    return {
        "quality": clock.quality,
        "source": clock.source,
        "offset_ms": clock.offset_ms,
        "max_error_ms": clock.max_error_ms,
    }


def _why(measure: Measure) -> Message:
    return {
        "measure": measure.name,
        "value": _value(measure.value),
        "comparison": measure.comparison,
        "threshold": None if measure.threshold is None else _value(measure.threshold),
    }


def _joined(observation: Joined) -> Message:
    return {
        "kind": observation.kind,
        "source": observation.source,
        "at": rfc3339(observation.utc_ns),
        "label": observation.label,
        "zone": observation.zone,
        "text": observation.text,
        "rule": observation.rule,
        "tracks": [int(track_id) for track_id in observation.track_ids],
        "confidence": _confidence(observation.confidence),
    }


def _blind(gap: BlindTime) -> Message:
    to = None if gap.to_utc_ns is None else rfc3339(gap.to_utc_ns)
    return {"source": gap.source, "cause": gap.cause, "from": rfc3339(gap.from_utc_ns), "to": to}


def _part(part: Mapping[str, Any]) -> Message:
    counters = {name: value for name, value in part.items() if name not in _PART_MEMBERS}
    return {
        "state": part["state"],
        "reason": part["reason"],
        "code": part.get("code"),
        "since": rfc3339(part["since_utc_ns"]),
        "rate_per_s": part.get("rate_per_s"),
        "age_s": part.get("age_s"),
        "age_limit_s": part.get("age_limit_s"),
        "counters": {name: _value(value) for name, value in counters.items()},
    }


def _value(value: Any) -> float | str:
    """A number as JSON knows it, else words: JSON has no NaN and no infinity."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if isinstance(value, str) or not math.isfinite(number):
        return str(value)
    return int(number) if number.is_integer() else round(number, 4)


def _confidence(value: float) -> float:
    number = float(value)
    return round(min(max(number, 0.0), 1.0), 4) if math.isfinite(number) else 0.0
