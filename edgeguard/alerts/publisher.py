"""Alerts from the inbox to the disk, to the broker, and off the disk once they are in other hands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgeguard.alerts.clockwatch import ClockWatch
from edgeguard.alerts.configured import ConfigReport
from edgeguard.alerts.delivery import Delivery, log_changes, with_outbox
from edgeguard.alerts.drafting import BlindNear, ClockStep, Drafter, Item
from edgeguard.alerts.gate import Gate, SafeGate
from edgeguard.alerts.intake import Intake
from edgeguard.alerts.link import Acked, Connected, Disconnected, Inbox, Link, LinkEvent, Received
from edgeguard.alerts.live import LiveState
from edgeguard.alerts.messages import ClockQuality, HealthReport, Identity, Message
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.receipts import ReceiptReader
from edgeguard.alerts.recorder import HealthRecorder
from edgeguard.alerts.selfreport import SelfReport
from edgeguard.alerts.sender import Sender
from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.types import Alert, Counts, CoverageDay

Input = Alert | ConfigReport | HealthReport | Counts | CoverageDay | LinkEvent
_MEASURE_EVERY_NS = 1_000_000_000
_CLOSE_AFTER_NS = 20_000_000_000
_MOST_UNSETTLED = 10_000
"""While the disk refuses, no more receipts are read than fit into memory."""


class Publisher:
    """Owned by one thread, which alone calls its methods; others may read `delivery`.

    The link must notify into `inbox`, and `inbox` must stay open until `stop` returned.
    """

    def __init__(
        self,
        inbox: Inbox[Input],
        open_outbox: Callable[[], Outbox],
        link: Link,
        identity: Identity,
        clock: Clock,
        clock_quality: Callable[[], ClockQuality] = ClockQuality,
        *,
        custody: str = "puback",
        window: int = 256,
        confirm_timeout_s: float = 20.0,
        retry_s: float = 1.0,
        most_uncommitted: int = 1000,
        gate: Gate | None = None,
        took: Callable[[str, int], object] = lambda _stage, _ns: None,
        blind_near: BlindNear = lambda _told: (),
    ) -> None:
        """`took` is told how many nanoseconds an alert's `commit` took, and what `Sender` says of it.

        What an earlier run left open is closed once `blind_near` knows, or 20 s after the start.
        """
        self.delivery = Delivery()
        self._inbox = inbox
        self._open_outbox = open_outbox
        self._link = link
        self._topics = identity.topics
        self._clock = clock
        self._gate = None if gate is None else SafeGate(gate, clock)
        self._took = took
        self._intake = Intake(most_uncommitted, self._note_committed)
        self._clock_watch = ClockWatch(clock)
        self._recorder = HealthRecorder(clock)
        self._self_report = SelfReport(clock)
        self._drafter = Drafter(identity, clock, clock_quality, blind_near)
        self._blind_near = blind_near
        self._close_ns = clock.monotonic_ns() + _CLOSE_AFTER_NS
        self._sender = Sender(link, clock, window, confirm_timeout_s, retry_s, custody, took)
        self._live = LiveState(self._sender, identity, clock, custody)
        self._receipts = ReceiptReader(identity, clock)
        self._outbox: Outbox | None = None
        self._oldest_wait_ns = 0
        self._measure_ns = 0
        self._storage_error: str | None = None

    def start(self) -> None:
        """Open the outbox and begin connecting; a disk that refuses is tried again at each step."""
        self._with_disk(self._open)
        self._link.start()

    def run_once(self, timeout_s: float) -> None:
        """Wait for input, and do all that it asks for: first the alerts, then the housekeeping."""
        for value in self._inbox.get_all(0 if self._more_to_commit or self._may_confirm else timeout_s):
            self._take(value)
        self._look_at_the_clock()
        self._with_disk(
            self._open,
            self._commit,
            self._tell,
            self._confirm,
            self._send,
            self._settle,
            self._answer,
            self._measure,
        )
        if not self._more_to_commit:
            self._intake.give_up_surplus()
        self._report()

    def stop(self, timeout_s: float) -> None:
        """Send what can be sent, say `stopped`, disconnect; gives up waiting after `timeout_s`."""
        self.run_once(0)
        while self._more_to_commit:
            self.run_once(0)
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * 1e9)
        self._run_until(lambda: not self._sender.busy, deadline_ns)
        self._live.tell_stopped(self._seq_high)
        self._link.close()
        self._run_until(lambda: self._sender.disconnected is not None, deadline_ns)
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None

    def _take(self, value: Input) -> None:
        match value:
            case Alert():
                self._intake.add(value)
            case HealthReport():
                self._note_health(value)
            case ConfigReport():
                self._note_config(value)
            case Counts():
                self._live.note_counts(value)
            case CoverageDay():
                self._intake.record([value])
            case Connected():
                self._sender.connect(value)
                self._live.connect()
            case Disconnected():
                self._sender.disconnect(value)
            case Acked():
                self._sender.acknowledge(value)
            case Received():
                self._receive(value)

    def _note_committed(self, items: Sequence[Item]) -> None:
        now_ns = self._clock.monotonic_ns()
        for item in items:
            if isinstance(item, Alert) and item.decided_ns is not None:
                self._took("commit", now_ns - item.decided_ns)

    def _receive(self, received: Received) -> None:
        if received.topic == self._topics.receipt:
            self._receipts.receive(received)
        elif self._gate is not None:
            self._gate.receive(received)

    def _note_health(self, report: HealthReport) -> None:
        self._live.note_health(report)
        delivering = self._sender.state[0] == "delivering"
        if self._recorder.is_worth_keeping(report, delivering):
            self._intake.record([report])

    def _note_config(self, report: ConfigReport) -> None:
        self._live.note_config(report)
        if self._gate is not None:
            self._gate.note_config(report)

    def _look_at_the_clock(self) -> None:
        """Before anything is told on a new clock, tell that it is new."""
        self._drafter.refresh()
        step_ms = self._clock_watch.step_ms(self._drafter.quality.quality)
        self._intake.sort_in(ClockStep(step_ms) if step_ms else None, self._clock.utc_ns())

    def _with_disk(self, *steps: Callable[[], None]) -> None:
        """Do each step, even where one before it was refused; remember the first refusal."""
        refusals = []
        for step in steps:
            try:
                step()
            except StorageError as error:
                refusals.append(str(error))
        self._storage_error = refusals[0] if refusals else None

    def _open(self) -> None:
        if self._outbox is None:
            self._outbox = self._open_outbox()
        if self._intake.closings_due and not self._intake.refused:
            self._close(self._outbox.left_open())

    def _close(self, left_open: Sequence[Message]) -> None:
        """Once it is known when nobody watched, as that belongs to the last word on an alert."""
        is_known = all(self._blind_near(message) is not None for message in left_open)
        if is_known or self._clock.monotonic_ns() >= self._close_ns:
            self._intake.close_first(left_open)

    def _commit(self) -> None:
        if self._outbox is None:
            return
        self._intake.commit(self._outbox, self._drafter)
        if len(self._intake):
            return
        own = self._self_report.news(self._outbox.replaced, self._outbox.shed, self._intake.lost)
        if own:
            self._intake.record(own)
            before = self._outbox.alerts_shed
            self._intake.commit(self._outbox, self._drafter)
            self._self_report.discount(self._outbox.alerts_shed - before)

    def _confirm(self) -> None:
        if self._may_confirm:
            self._sender.confirm(self._receipts.read())

    def _answer(self) -> None:
        """Do what was asked, and send what came of it."""
        if self._gate is None or self._outbox is None:
            return
        seq_high = self._outbox.seq_high
        self._gate.work(self._outbox, self._sender.say)
        if self._outbox.seq_high > seq_high:
            self._send()

    def _send(self) -> None:
        if self._outbox is not None:
            self._sender.send(self._outbox)

    def _settle(self) -> None:
        if self._outbox is not None:
            self._sender.settle(self._outbox)

    def _measure(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._outbox is not None and now_ns >= self._measure_ns:
            self._oldest_wait_ns = self._outbox.oldest_wait_ns()
            self._outbox.restore_ballast()
            self._measure_ns = now_ns + _MEASURE_EVERY_NS

    def _tell(self) -> None:
        self._live.tell(self._seq_high, self._drafter.quality)

    @property
    def _more_to_commit(self) -> bool:
        """The disk took what it was given, and there is more."""
        return len(self._intake) > 0 and self._outbox is not None and not self._intake.refused

    @property
    def _may_confirm(self) -> bool:
        return self._receipts.waiting and self._sender.unsettled < _MOST_UNSETTLED

    @property
    def _seq_high(self) -> int | None:
        return None if self._outbox is None else self._outbox.seq_high

    def _run_until(self, over: Callable[[], bool], deadline_ns: int) -> None:
        self.run_once(0)
        while not over() and (left_ns := deadline_ns - self._clock.monotonic_ns()) > 0:
            self.run_once(left_ns / 1e9)

    def _report(self) -> None:
        state, reason = self._sender.state
        delivery = Delivery(
            state=state,
            reason=reason,
            committed=self._intake.committed,
            delivered=self._sender.delivered,
            acknowledged=self._sender.acknowledged,
            oldest_pending_s=self._oldest_wait_ns / 1e9,
            uncommitted=len(self._intake),
            lost=self._intake.lost,
            records_lost=self._intake.records_lost,
            coverage_day=self._intake.coverage_day,
            bad_receipts=self._receipts.rejected,
            storage_error=self._storage_error,
            gate_error=None if self._gate is None else self._gate.error,
        )
        if self._outbox is not None:
            delivery = with_outbox(delivery, self._outbox)
        log_changes(self.delivery, delivery)
        self.delivery = delivery
