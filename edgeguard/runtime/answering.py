"""What health says of requests, verdicts, escalations and the audit log."""

from __future__ import annotations

from edgeguard.alerts.desk import Desk, DeskReport
from edgeguard.alerts.parcels import PostReport
from edgeguard.runtime.health import HealthBoard, Part, State


class DeskHealth:
    """Brings the desk's report into health; called by the publisher's thread."""

    def __init__(self, desk: Desk, board: HealthBoard) -> None:
        self._desk = desk
        self._inbound, self._verdicts = board.part("inbound"), board.part("verdicts")
        self._escalation, self._audit = board.part("escalation"), board.part("audit")
        self._webhook = board.part("webhook")
        self._told: DeskReport | None = None

    def say(self) -> None:
        report = self._desk.report
        if report is self._told:
            return
        self._told = report
        self._inbound.note(**report.inbound)
        self._inbound.set(State.OK)
        self._verdicts.note(**report.verdicts)
        self._verdicts.set(State.OK)
        self._escalation.note(
            escalated=report.escalated,
            unacknowledged=report.unacknowledged,
            unreadable=report.unreadable,
        )
        self._escalation.set(State.OK)
        _say_audit(self._audit, report)
        _say_webhook(self._webhook, report.posts)


def _say_audit(part: Part, report: DeskReport) -> None:
    part.note(failed=report.audit_failed)
    if report.audit_head is not None:
        part.note(head=report.audit_head)
    part.set(State.DEGRADED if report.audit_error else State.OK, report.audit_error, "storage")


def _say_webhook(part: Part, posts: PostReport | None) -> None:
    if posts is None:
        part.set(State.OFF, "no webhook is configured", "not_wanted")
        return
    part.note(waiting=posts.waiting, delivered=posts.delivered, given_up=posts.given_up)
    part.set(State.DEGRADED if posts.error else State.OK, posts.error, "not_posted")
