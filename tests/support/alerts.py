"""Observations, alerts and a wire to try them on."""

from __future__ import annotations

import json
from typing import Any

from edgeguard.alerts.ids import Uuid7
from edgeguard.alerts.link import Endpoint
from edgeguard.alerts.messages import Identity
from edgeguard.clock import ManualClock
from edgeguard.types import Alert, AlertState, Measure, ModelRef, Observation, Phase, Severity, Stages

UTC_NS = 1_800_000_000_000_000_000
IDENTITY = Identity("depot", "gate-1", "0b2c6f7e-8d3f-4f0a-9a55-2f6c7d1e8a90", "0.1.0", UTC_NS)
NEXT_RUN = Identity("depot", "gate-1", "7d5f1c7a-11aa-4c3e-8c57-0d8a1f4b2c3d", "0.1.0", UTC_NS + 10**12)
ALERT_TOPIC = "edgeguard/v1/depot/gate-1/up/alert/dock/loitering"

_new_id = Uuid7(ManualClock())


def seen(
    at_s: float = 0.0, phase: Phase = Phase.INSTANT, rule: str | None = "stay", key: str = "7", **other: Any
) -> Observation:
    """An observation of `dock`, `at_s` seconds after the beginning."""
    pts_ns = round(at_s * 1e9)
    values = {"kind": "loitering", "source": "dock", "confidence": 0.9, **other}
    return Observation(pts_ns=pts_ns, utc_ns=UTC_NS + pts_ns, phase=phase, rule=rule, key=key, **values)


def alert(**other: Any) -> Alert:
    """An alert with something in every field, under a new id."""
    values: dict[str, Any] = {
        "alert_id": _new_id(),
        "revision": 1,
        "state": AlertState.OPENED,
        "kind": "loitering",
        "severity": Severity.WARNING,
        "source": "dock",
        "rule": "stay",
        "opened_utc_ns": UTC_NS,
        "observed_utc_ns": UTC_NS,
        "closed_utc_ns": None,
        "confidence": 0.87,
        "summary": "person 7 stayed 12.3 s in yard (limit 10 s)",
        "zone": "yard",
        "label": "person",
        "track_ids": (7,),
        "measures": (Measure("dwell_s", 12.3, ">=", 10.0),),
        "stages": Stages(1, 2, 3, 4, received_ns=1),
        "decided_ns": 5,
        "models": (ModelRef("yolox_nano_416", "ab" * 32, "onnxruntime-cpu"),),
    }
    return Alert(**{**values, **other})


def moment(**other: Any) -> Alert:
    """An alert that is over at once."""
    return alert(closed_utc_ns=UTC_NS, **other)


def endpoint(port: int, name: str = "device", **other: Any) -> Endpoint:
    """A broker on this machine, retried quickly."""
    return Endpoint("127.0.0.1", port, f"test-{name}", **{"reconnect_s": (0.05, 0.2), **other})


def body(publication: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(publication.body)
    return message
