"""Where requests are done and answered, and alerts that nobody acknowledged are escalated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edgeguard.alerts.audit import AuditLog
from edgeguard.alerts.configured import ConfigReport
from edgeguard.alerts.durable import Draft, worth_of
from edgeguard.alerts.escalation import acknowledged, escalated
from edgeguard.alerts.exchange import Outcome, result_message
from edgeguard.alerts.gate import Say
from edgeguard.alerts.inbound import Inbound, Refused, Request
from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.link import Received
from edgeguard.alerts.messages import ClockQuality, Identity, Message, encode
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.outbox_file import Database
from edgeguard.alerts.parcels import Parcels, PostReport
from edgeguard.alerts.rate import TokenBucket
from edgeguard.clock import Clock
from edgeguard.errors import StorageError

_MOST_PER_STEP, _LONGEST_STEP_NS = 64, 20_000_000
"""Requests that one step looks at, and how long it may take: alerts must not wait for them."""
_MOST_ESCALATED = 100
_LOOK_EVERY_NS = 1_000_000_000
_STEP_NS = 500_000_000
"""A clock that moves so far against the monotonic one was stepped."""
_ANSWERS_PER_S, _ANSWERS_AT_ONCE = 20.0, 200
_WRITTEN_DOWN = ("by", "alert_id", "verdict", "from_seq", "to_seq")
"""What the audit log keeps of a request."""
_HIGHEST_SEQ = (1 << 63) - 1


Configure = Callable[[str, str, str], str | None]
"""Takes up a configuration (text, id, who sent it); why not, if not. Returns soon and never raises."""


def _not_here(_config: str, _config_id: str, _by: str) -> str | None:
    return "this device takes no configuration from the broker; its own file has mqtt.accept_config"


@dataclass(frozen=True, slots=True)
class DeskReport:
    """How it goes, since the start."""

    inbound: Mapping[str, int] = field(default_factory=dict)
    """Requests done by verb, refused by reason, and such."""
    verdicts: Mapping[str, int] = field(default_factory=dict)
    """`<rule>.true` and `<rule>.false_alarm`, since ever."""
    escalated: int = 0
    unacknowledged: int = 0
    """Alerts that wait for an acknowledgement, and will be escalated without it."""
    unreadable: int = 0
    """Alerts of which damage left nothing to go on with; see the log."""
    posts: PostReport | None = None
    """None: nothing is to be posted."""
    audit_failed: int = 0
    audit_error: str | None = None
    audit_head: str | None = None
    """SHA-256 of the audit log's last line."""


class Desk:
    """The publisher's `Gate`; owned by its thread, others may read `report`.

    `ledger` is the companion of the outbox that `work` is given.
    """

    def __init__(
        self,
        identity: Identity,
        clock: Clock,
        clock_quality: Callable[[], ClockQuality],
        ledger: Ledger,
        audit: AuditLog,
        parcels: Parcels | None = None,
    ) -> None:
        self.configure: Configure = _not_here
        self.drill: Callable[[], str | None] = lambda: "no drills are held here"
        """Begins a drill; why not, if it does not."""
        self._told_config: ConfigReport | None = None
        self.report = DeskReport(posts=None if parcels is None else parcels.report)
        self._identity = identity
        self._clock = clock
        self._clock_quality = clock_quality
        self._ledger = ledger
        self._audit = audit
        self._parcels = parcels
        self._inbound = Inbound(identity, clock)
        self._answers = TokenBucket(clock, _ANSWERS_PER_S, _ANSWERS_AT_ONCE)
        self._counts: Counter[str] = Counter()
        self._escalated = 0
        self._look_ns = 0
        self._utc_offset_ns: int | None = None

    def note_config(self, report: ConfigReport) -> None:
        """Write down what became of a configuration that was sent."""
        if report.config_id is not None and report != self._told_config:
            self._told_config = report
            told = {"id": report.config_id, "by": report.by, "sha256": report.sha256}
            self._audit.done("config", **told, outcome=report.state, reason=report.reason)

    def receive(self, received: Received) -> None:
        self._inbound.receive(received)

    def work(self, outbox: Outbox, say: Say) -> None:
        """Do what was asked, then what is due. Raises StorageError; what was not done is done next time."""
        self._take_requests(outbox, say)
        self._audit.tick()
        if self._parcels is not None:
            self._parcels.work(outbox)
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._look_ns:
            self._keep_time(outbox)
            self._escalate(outbox, now_ns)
            self._look_ns = now_ns + _LOOK_EVERY_NS
            self._tell(outbox)

    def _take_requests(self, outbox: Outbox, say: Say) -> None:
        if not self._inbound.waiting:
            return
        until_ns = self._clock.monotonic_ns() + _LONGEST_STEP_NS
        synced = self._clock_quality().quality == "synced"
        for _ in range(_MOST_PER_STEP):
            request = self._inbound.next(synced=synced)
            if isinstance(request, Refused):
                self._refuse(request, say)
            elif request is not None:
                self._do(request, outbox, say)
            if request is None or self._clock.monotonic_ns() > until_ns:
                return

    def _refuse(self, refusal: Refused, say: Say) -> None:
        request = refusal.request
        details = {} if request is None else {"id": request.request_id, "by": request.message["by"]}
        self._audit.refused(refusal.topic, refusal.reason, words=str(refusal), **details)
        if request is not None:
            self._answer(request, Outcome(ok=False, reason=str(refusal)), say)

    def _do(self, request: Request, outbox: Outbox, say: Say) -> None:
        if request.answered is not None:
            self._counts["repeated"] += 1
            self._answer(request, request.answered, say)
            return
        try:
            outcome = self._outcome(request, outbox)
        except StorageError:
            outcome = Outcome(ok=False, reason="the disk refuses; try again later")
        else:
            self._inbound.remember(request, outcome)
        self._counts[f"done_{request.verb}" if outcome.ok else f"failed_{request.verb}"] += 1
        self._write_down(request, outcome)
        self._answer(request, outcome, say)

    def _outcome(self, request: Request, outbox: Outbox) -> Outcome:
        match request.verb:
            case "ack":
                return self._acknowledge(request.message, outbox)
            case "config":
                return self._configure(request.message)
            case "replay":
                return _replay(request.message, outbox)
            case "drill":
                refused = self.drill()
                return Outcome(ok=refused is None, reason=refused)
            case _:
                return Outcome(ok=True)

    def _configure(self, desired: Message) -> Outcome:
        refused = self.configure(desired["config"], desired["config_id"], desired["by"])
        return Outcome(ok=refused is None, reason=refused)

    def _acknowledge(self, ack: Message, outbox: Outbox) -> Outcome:
        alert = outbox.transaction(lambda db: self._ledger.find(db, ack["alert_id"]))
        if alert is None:
            return Outcome(ok=False, reason="no such alert, or it was so long ago that it is forgotten")
        before = alert["acknowledged"]
        if before is not None and ack["verdict"] is None and before["verdict"] is not None:
            return Outcome(ok=True, reason=f"it was judged before, by {before['by']}; the verdict stays")
        if before != {member: ack[member] for member in ("by", "at", "verdict", "note")}:
            outbox.commit([ack], self._acknowledged)
        return Outcome(ok=True)

    def _acknowledged(self, ack: Message, seq: int, db: Database) -> Draft:
        return self._draft(
            acknowledged(self._told(db, ack["alert_id"]), ack, self._identity, seq, self._clock)
        )

    def _keep_time(self, outbox: Outbox) -> None:
        """At the start, and whenever UTC was stepped, the deadlines follow."""
        offset_ns = self._clock.utc_ns() - self._clock.monotonic_ns()
        if self._utc_offset_ns is None:
            outbox.transaction(self._ledger.resume)
        elif abs(offset_ns - self._utc_offset_ns) > _STEP_NS:
            outbox.transaction(self._ledger.follow_clock)
        else:
            return
        self._utc_offset_ns = offset_ns

    def _escalate(self, outbox: Outbox, now_ns: int) -> None:
        overdue = outbox.transaction(lambda db: self._ledger.overdue(db, now_ns, _MOST_ESCALATED))
        if overdue:
            outbox.commit(overdue, self._raised)
            self._escalated += len(overdue)

    def _raised(self, alert_id: str, seq: int, db: Database) -> Draft:
        alert = escalated(self._told(db, alert_id), self._identity, seq, self._clock)
        if self._parcels is not None:
            self._parcels.add(db, alert)
        return self._draft(alert)

    def _told(self, db: Database, alert_id: str) -> Message:
        """An alert that is known to be in the ledger."""
        alert = self._ledger.find(db, alert_id)
        if alert is None:
            raise StorageError(f"alert {alert_id} is gone from the ledger")
        return alert

    def _draft(self, alert: Message) -> Draft:
        topic = self._identity.topics.alert(alert["source"], alert["kind"])
        return Draft(topic, alert, worth_of(alert))

    def _answer(self, request: Request, outcome: Outcome, say: Say) -> None:
        if not self._answers.take():
            self._counts["unanswered"] += 1
            return
        utc_ns = self._clock.utc_ns()
        result = result_message(self._identity, request.request_id, request.verb, outcome, utc_ns)
        say(request.answer_topic, encode(result), request.correlation)

    def _write_down(self, request: Request, outcome: Outcome) -> None:
        asked = {member: request.message.get(member) for member in _WRITTEN_DOWN}
        self._audit.done(
            request.verb,
            id=request.request_id,
            **{member: value for member, value in asked.items() if value is not None},
            outcome="done" if outcome.ok else "failed",
            reason=outcome.reason,
        )

    def _tell(self, outbox: Outbox) -> None:
        refused = {f"refused_{reason}": count for reason, count in self._inbound.refused.items()}
        verdicts, waiting = outbox.transaction(
            lambda db: (self._ledger.verdicts(db), self._ledger.waiting(db))
        )
        self.report = DeskReport(
            inbound={**self._counts, **refused},
            verdicts=verdicts,
            escalated=self._escalated,
            unacknowledged=waiting,
            unreadable=self._ledger.unreadable,
            posts=None if self._parcels is None else self._parcels.report,
            audit_failed=self._audit.failed,
            audit_error=self._audit.error,
            audit_head=self._audit.head,
        )


def _replay(command: Message, outbox: Outbox) -> Outcome:
    from_seq, to_seq = command["from_seq"], command["to_seq"]
    if from_seq is None or to_seq is None or from_seq > to_seq:
        return Outcome(ok=False, reason="expected from_seq and to_seq, the lower one first")
    first, last = (min(int(seq), _HIGHEST_SEQ) for seq in (from_seq, to_seq))
    replayed, unavailable = outbox.replay(first, last)
    return Outcome(ok=True, replayed=replayed, unavailable=unavailable)
