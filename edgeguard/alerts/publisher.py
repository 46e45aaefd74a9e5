"""Alerts from the inbox to the disk, to the broker, and off the disk once they are delivered."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from edgeguard.alerts.link import Acked, Connected, Disconnected, Inbox, Link, LinkEvent, Received
from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    alert_message,
    closing_message,
    counts_message,
    encode,
    health_message,
    status_message,
)
from edgeguard.alerts.outbox import Draft, Entry, Outbox
from edgeguard.alerts.sender import Sender
from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.types import Alert, AlertState, Counts

log = logging.getLogger(__name__)

Input = Alert | HealthReport | Counts | LinkEvent


@dataclass(frozen=True, slots=True)
class Delivery:
    """How telling goes."""

    state: str = "disconnected"
    """`disconnected`, `refused`, `no_subscriber` or `delivering`."""
    reason: str | None = "not started"
    """Why it is not delivering."""
    committed: int = 0
    """Alerts on disk, since the start."""
    delivered: int = 0
    """Alerts, since the start."""
    pending: int = 0
    """Alerts committed and not delivered."""
    oldest_pending_s: float = 0.0
    """How long the oldest of them has waited, at least."""
    uncommitted: int = 0
    """Alerts in memory that wait for the disk."""
    lost: int = 0
    """Alerts given up because the disk refused too many."""
    seq_high: int | None = None
    storage_error: str | None = None
    set_aside: str | None = None
    """Where a damaged outbox was put; it may hold alerts that were never delivered."""
    ballast_used: bool = False
    """The disk was full and the outbox lives on its reserve."""

    @property
    def connected(self) -> bool:
        return self.state != "disconnected"


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
        window: int = 80,
        ack_timeout_s: float = 20.0,
        retry_s: float = 1.0,
        most_uncommitted: int = 1000,
    ) -> None:
        self.delivery = Delivery()
        self._inbox = inbox
        self._open_outbox = open_outbox
        self._link = link
        self._identity = identity
        self._topics = identity.topics
        self._clock = clock
        self._clock_quality = clock_quality
        self._most_uncommitted = most_uncommitted
        self._sender = Sender(link, self._final_body, clock, window, ack_timeout_s, retry_s)
        self._outbox: Outbox | None = None
        self._left_open: list[bytes] = []
        self._uncommitted: deque[Alert] = deque()
        self._committed = 0
        self._lost = 0
        self._health: HealthReport | None = None
        self._health_is_news = False
        self._status_is_news = False
        self._counts: dict[str, Counts] = {}
        """The newest of each camera."""
        self._counts_to_tell: set[str] = set()
        self._oldest_wait_ns = 0
        self._storage_error: str | None = None

    def start(self) -> None:
        """Open the outbox and begin connecting; a disk that refuses is tried again at each step."""
        self._with_disk(self._open)
        self._link.start()

    def run_once(self, timeout_s: float) -> None:
        """Wait for input, and do all that it asks for: first the alerts, then the housekeeping."""
        for value in self._inbox.get_all(timeout_s):
            self._take(value)
        self._with_disk(self._open, self._commit, self._tell, self._send, self._settle, self._measure)
        self._give_up_surplus()
        self._report()

    def stop(self, timeout_s: float) -> None:
        """Send what can be sent, say `stopped`, disconnect; gives up waiting after `timeout_s`."""
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * 1e9)
        self._run_until(lambda: not self._sender.busy, deadline_ns)
        self._tell_status("stopped")
        self._link.close()
        self._run_until(lambda: self._sender.disconnected is not None, deadline_ns)
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None

    def _take(self, value: Input) -> None:
        match value:
            case Alert():
                self._uncommitted.append(value)
            case HealthReport():
                self._health, self._health_is_news = value, True
            case Counts():
                self._counts[value.source] = value
                self._counts_to_tell.add(value.source)
            case Connected():
                self._sender.connect(value)
                self._status_is_news = self._health_is_news = True
                self._counts_to_tell.update(self._counts)
            case Disconnected():
                self._sender.disconnect(value)
            case Acked():
                self._sender.acknowledge(value)
            case Received():
                pass

    def _give_up_surplus(self) -> None:
        """Where the disk refuses more alerts than memory may hold, drop updates first, then the oldest."""
        while len(self._uncommitted) > self._most_uncommitted:
            updates = (kept for kept in self._uncommitted if kept.state is AlertState.UPDATED)
            self._uncommitted.remove(next(updates, self._uncommitted[0]))
            self._lost += 1

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
            self._left_open = self._outbox.left_open()

    def _commit(self) -> None:
        if self._outbox is None:
            return
        if self._left_open:
            self._outbox.commit(self._left_open, self._closing)
            self._left_open = []
        if self._uncommitted:
            self._outbox.commit(self._uncommitted, self._draft)
            self._committed += len(self._uncommitted)
            self._uncommitted.clear()

    def _send(self) -> None:
        if self._outbox is not None:
            self._sender.send(self._outbox)

    def _settle(self) -> None:
        if self._outbox is not None:
            self._sender.settle(self._outbox)

    def _measure(self) -> None:
        if self._outbox is not None:
            self._oldest_wait_ns = self._outbox.oldest_wait_ns()

    def _draft(self, alert: Alert, seq: int) -> Draft:
        now_ns = self._clock.monotonic_ns()
        message = alert_message(alert, self._identity, seq, now_ns, self._clock_quality())
        topic = self._topics.alert(alert.source, alert.kind)
        return Draft(topic, encode(message), alert.alert_id, alert.closed_utc_ns is None)

    def _closing(self, body: bytes, seq: int) -> Draft:
        message = closing_message(json.loads(body), self._identity, seq)
        topic = self._topics.alert(message["source"], message["kind"])
        return Draft(topic, encode(message), message["alert_id"], open=False)

    def _final_body(self, entry: Entry) -> bytes:
        message = json.loads(entry.body)
        message["replayed"] = entry.earlier_run or entry.attempts > 0
        if not entry.earlier_run:
            message["stages"]["published_ns"] = self._clock.monotonic_ns()
        return encode(message)

    def _tell(self) -> None:
        if self._status_is_news:
            self._tell_status("online")
        if self._health_is_news and self._health is not None:
            now_ns, quality = self._clock.utc_ns(), self._clock_quality()
            message = health_message(self._health, self._identity, now_ns, self._seq_high, quality)
            self._sender.retain(self._topics.health, encode(message))
        self._status_is_news = self._health_is_news = False
        self._tell_counts()

    def _tell_counts(self) -> None:
        for source in sorted(self._counts_to_tell):
            message = counts_message(self._counts[source], self._identity, self._clock.utc_ns())
            self._sender.retain(self._topics.counts(source), encode(message))
        self._counts_to_tell.clear()

    def _tell_status(self, state: str) -> None:
        message = status_message(state, self._identity, self._clock.utc_ns(), self._seq_high)
        self._sender.retain(self._topics.status, encode(message))

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
            committed=self._committed,
            delivered=self._sender.delivered,
            oldest_pending_s=self._oldest_wait_ns / 1e9,
            uncommitted=len(self._uncommitted),
            lost=self._lost,
            storage_error=self._storage_error,
        )
        if self._outbox is not None:
            delivery = _with_outbox(delivery, self._outbox)
        _log_changes(self.delivery, delivery)
        self.delivery = delivery


def _with_outbox(delivery: Delivery, outbox: Outbox) -> Delivery:
    return replace(
        delivery,
        pending=outbox.pending,
        seq_high=outbox.seq_high,
        set_aside=str(outbox.set_aside) if outbox.set_aside else None,
        ballast_used=outbox.ballast_used,
    )


def _log_changes(before: Delivery, now: Delivery) -> None:
    if (now.state, now.reason) != (before.state, before.reason):
        level = logging.INFO if now.state == "delivering" else logging.WARNING
        log.log(level, "alerts: %s%s", now.state, f" ({now.reason})" if now.reason else "")
    if now.storage_error not in (None, before.storage_error):
        log.error("alerts: %s", now.storage_error)
    if now.set_aside not in (None, before.set_aside):
        log.error("alerts: the outbox was damaged and set aside as %s", now.set_aside)
