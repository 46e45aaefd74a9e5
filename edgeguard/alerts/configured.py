"""What the device says of its configuration: which one is in effect, and what became of the last change."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.alerts.messages import Identity, Message, message_head, rfc3339

_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class ConfigReport:
    """`sha256` is of what is in effect; the rest is of the last change."""

    sha256: str
    origin: str
    """`file` or `broker`: where what is in effect comes from."""
    state: str
    """`applied`, `pending`, `rolled_back` or `refused`."""
    since_utc_ns: int
    reason: str | None = None
    config_id: str | None = None
    """Of the message that brought it; None if it was the file."""
    by: str | None = None


def config_message(report: ConfigReport, identity: Identity, utc_ns: int) -> Message:
    reason = report.reason
    return {
        **message_head("config", identity),
        "at": rfc3339(utc_ns),
        "sha256": report.sha256,
        "origin": report.origin,
        "state": report.state,
        "since": rfc3339(report.since_utc_ns),
        "reason": None if reason is None else reason[:_LONGEST],
        "config_id": report.config_id,
        "by": report.by,
    }


def desired_message(
    site: str,
    device: str,
    config: str,
    *,
    config_id: str,
    by: str,
    utc_ns: int,
    expires_utc_ns: int | None = None,
) -> Message:
    """Asks the device to take up `config`: YAML, in the form of its configuration file."""
    return {
        "schema": "edgeguard.config_desired.v1",
        "site": site,
        "device": device,
        "config_id": config_id,
        "by": by,
        "issued_at": rfc3339(utc_ns),
        "expires_at": None if expires_utc_ns is None else rfc3339(expires_utc_ns),
        "config": config,
    }
