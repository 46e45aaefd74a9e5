"""What is said to a device, and what it answers: receipts, commands, acknowledgements and their results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from edgeguard.alerts.messages import Identity, Message, message_head, rfc3339

VERDICTS = ("true", "false_alarm")


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Numbers that will never come."""

    from_seq: int
    to_seq: int
    reason: str
    """`shed`, `expired`, `renumbered` or `unassigned`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request."""

    ok: bool
    reason: str | None = None
    replayed: int | None = None
    unavailable: Sequence[Unavailable] = ()


def receipt_message(
    site: str, device: str, collector: str, committed: Iterable[tuple[str, int]], utc_ns: int
) -> Message:
    """`committed` are (boot_id, seq) of what is safe in the collector's database."""
    by_boot: dict[str, list[int]] = defaultdict(list)
    for boot_id, seq in committed:
        by_boot[boot_id].append(seq)
    return {
        **_address("receipt", site, device),
        "collector": collector,
        "at": rfc3339(utc_ns),
        "committed": [{"boot_id": boot_id, "seqs": sorted(seqs)} for boot_id, seqs in by_boot.items()],
    }


def ack_message(
    site: str,
    device: str,
    alert_id: str,
    *,
    ack_id: str,
    by: str,
    utc_ns: int,
    verdict: str | None = None,
    note: str | None = None,
) -> Message:
    return {
        **_address("ack", site, device),
        "ack_id": ack_id,
        "alert_id": alert_id,
        "by": by,
        "at": rfc3339(utc_ns),
        "verdict": verdict,
        "note": note,
    }


def command_message(
    site: str,
    device: str,
    verb: str,
    *,
    command_id: str,
    by: str,
    utc_ns: int,
    expires_utc_ns: int | None = None,
    from_seq: int | None = None,
    to_seq: int | None = None,
) -> Message:
    return {
        **_address("command", site, device),
        "command_id": command_id,
        "verb": verb,
        "by": by,
        "issued_at": rfc3339(utc_ns),
        "expires_at": None if expires_utc_ns is None else rfc3339(expires_utc_ns),
        "from_seq": from_seq,
        "to_seq": to_seq,
    }


def result_message(identity: Identity, request_id: str, verb: str, outcome: Outcome, utc_ns: int) -> Message:
    return {
        **message_head("result", identity),
        "id": request_id,
        "verb": verb,
        "ok": outcome.ok,
        "reason": outcome.reason,
        "at": rfc3339(utc_ns),
        "replayed": outcome.replayed,
        "unavailable": [asdict(numbers) for numbers in outcome.unavailable],
    }


def _address(name: str, site: str, device: str) -> Message:
    return {"schema": f"edgeguard.{name}.v1", "site": site, "device": device}
