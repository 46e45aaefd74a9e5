"""What the API says, as types: the OpenAPI description is made from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["info", "warning", "alarm", "critical"]
AlertState = Literal["opened", "updated", "closed"]


class _Shape(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class Revision(_Shape):
    revision: int
    received_at: str
    clock_step_ms: float
    """By how much the device's clock was stepped forward since: add it to the times of the message."""
    message: dict[str, Any]
    """As the device told it: edgeguard.alert.v1."""


class Alert(_Shape):
    """An alert at its newest revision."""

    site: str
    device: str
    alert_id: str
    revision: int
    state: AlertState
    severity: Severity
    kind: str
    source: str
    rule: str
    drill: bool
    acknowledged: bool
    verdict: str | None
    """`true` or `false_alarm`; null: not judged."""
    opened_at: str
    """Corrected by the later steps of the device's clock."""
    clock_step_ms: float
    """By how much it was corrected."""
    received_at: str
    message: dict[str, Any]
    """As the device told it: edgeguard.alert.v1."""


class WholeAlert(Alert):
    """An alert with all its revisions."""

    revisions: list[Revision]


class Alerts(_Shape):
    """One page, the alert opened last first."""

    alerts: list[Alert]
    next: str | None
    """Ask with `cursor` of this value for the next page; null: this was the last."""


class Device(_Shape):
    site: str
    device: str
    state: Literal["online", "stopped", "offline", "unknown"]
    """`unknown`: it said that it is online, and then nothing for three heartbeats."""
    boot_id: str | None
    version: str | None
    custody: str | None
    started_at: str | None
    last_seen_at: str
    silent_since: str | None
    seq_high: int
    """The highest number that it said it gave out."""
    complete_to: int
    """Up to here every number is in the database or among the gaps."""
    missing: int
    """How many messages are missing without a reason."""
    health: dict[str, Any] | None
    """As the device told it, at most a minute old while it is there: edgeguard.health.v1."""


class Devices(_Shape):
    devices: list[Device]


class Gap(_Shape):
    site: str
    device: str
    from_seq: int
    to_seq: int
    reason: str | None
    """Why these messages will never come; null: unexplained."""
    asked: int
    """How often the device was asked for them."""
    noticed_at: str


class Gaps(_Shape):
    gaps: list[Gap]


class Day(_Shape):
    """For how much of a day the sources of a device were watched."""

    site: str
    device: str
    day: str
    """In the calendar of its site: 2026-11-28."""
    received_at: str
    message: dict[str, Any]
    """As the device told it: edgeguard.coverage.v1."""


class Days(_Shape):
    days: list[Day]


class Precision(_Shape):
    site: str
    device: str
    rule: str
    alerts: int
    true: int
    false_alarm: int
    precision: float | None
    """True ones among the judged ones, 0 to 1; null: none was judged."""


class Rules(_Shape):
    rules: list[Precision]


class Ack(_Shape):
    """Somebody has seen it."""

    verdict: Literal["true", "false_alarm"] | None = None
    """Whether it was right; null: not judged."""
    note: str | None = Field(default=None, max_length=500)


class Acked(_Shape):
    ack_id: str
    """The device's answer comes under this id: GET /v1/results/{id}."""


class Result(_Shape):
    """What a device answered: edgeguard.result.v1."""

    message: dict[str, Any]


class Stats(_Shape):
    collector: str
    parts: dict[str, Any]
    """State, reason and counters of each part of this collector."""
    devices: int
    silent_devices: int
    alerts: int
    missing: int
    """Messages that are missing without a reason, of all devices."""
    quarantined: int
    """Durable messages that could not be read and are kept aside."""


class Problem(_Shape):
    detail: Any
    """What is wrong and how to put it right."""
