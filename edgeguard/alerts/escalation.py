"""Which alerts must be acknowledged, by when, and what their next revision says if nobody does."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.alerts.messages import Identity, Message, message_head, rfc3339
from edgeguard.clock import Clock
from edgeguard.types import AlertState, Severity

_IN_ORDER = [severity.value for severity in Severity]


@dataclass(frozen=True, slots=True)
class Escalation:
    """Alerts of `least` severity and above are escalated `after_s` seconds without an acknowledgement.

    Exercises never are.
    """

    after_s: float
    least: Severity = Severity.ALARM

    @property
    def after_ns(self) -> int:
        return round(self.after_s * 1e9)

    def covers(self, alert: Message) -> bool:
        return not alert["drill"] and _IN_ORDER.index(alert["severity"]) >= _IN_ORDER.index(self.least.value)

    def begins(self, before: Message | None, alert: Message) -> bool:
        """Whether this revision is the first that is covered."""
        return self.covers(alert) and (before is None or not self.covers(before))


def acknowledged(alert: Message, ack: Message, identity: Identity, seq: int, clock: Clock) -> Message:
    """The revision that says who has seen the alert; the last word counts."""
    seen = {member: ack[member] for member in ("by", "at", "verdict", "note")}
    return {**_next_revision(alert, identity, seq, clock), "acknowledged": seen}


def escalated(alert: Message, identity: Identity, seq: int, clock: Clock) -> Message:
    """The revision that raises an alert which nobody acknowledged."""
    raised = {"severity": Severity.CRITICAL.value, "escalated_at": rfc3339(clock.utc_ns())}
    return {**_next_revision(alert, identity, seq, clock), **raised}


def _next_revision(alert: Message, identity: Identity, seq: int, clock: Clock) -> Message:
    """What was noticed stays; no frame or sample is behind this revision."""
    now_ns = clock.monotonic_ns()
    state = AlertState.UPDATED if alert["closed_at"] is None else AlertState.CLOSED
    return {
        **alert,
        **message_head("alert", identity),
        "revision": alert["revision"] + 1,
        "seq": seq,
        "state": state.value,
        "stages": {**dict.fromkeys(alert["stages"]), "decided_ns": now_ns, "committed_ns": now_ns},
    }
