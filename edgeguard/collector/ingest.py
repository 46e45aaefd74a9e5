"""From the broker to the database, and only then back to the device: committed.

Invariants:

C1. A receipt names a message only after the transaction that holds it is on the disk.
C2. What is not in a receipt stays with its device, which sends it again: so anything may be dropped here.
C3. Where the broker keeps a message until it is settled, that happens after its receipt was sent.
C4. A message that comes again, after a lost receipt or by another collector, changes nothing and is
    receipted again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edgeguard.alerts.exchange import receipt_message
from edgeguard.alerts.link import Acked, Connected, Disconnected, Link, LinkEvent, Received, Subscribed
from edgeguard.alerts.messages import encode
from edgeguard.alerts.topics import Topics
from edgeguard.clock import Clock
from edgeguard.collector.intake import UNKNOWN, Arrival, arrival
from edgeguard.collector.writing import Stored, Writer

log = logging.getLogger(__name__)

MOST_ROWS = 1000
"""Messages in one transaction."""
_MOST_RUNS, _MOST_SEQS = 64, 1000
"""What one receipt holds, by its schema."""
_VISIT = "/up/doctor"
"""Where the doctor tries whether the broker takes what a device says."""
_MOST_NAMED = 100
"""Unknown kinds of messages that the log names: who may write can make up any number."""
REFUSED = 128
"""Reason codes from here on say that the broker did not take what we sent."""


@dataclass(slots=True)
class Counters:
    """Since the start."""

    received: int = 0
    committed: int = 0
    """Durable messages that were new."""
    duplicates: int = 0
    quarantined: int = 0
    unknown: int = 0
    """Messages on topics that only a later version knows: of the quarantined, or duplicates of such."""
    refused: int = 0
    """Messages that are no message of the device of their topic, or do not fit their schema."""
    last_refusal: str | None = None
    receipts: int = 0
    receipts_refused: int = 0
    """Receipts that the broker did not take: is the collector allowed to write `down/receipt`?"""


class Ingest:
    """Owned by one thread, which alone calls its methods; others may read `counters` and what is public."""

    def __init__(self, link: Link, writer: Writer, name: str, clock: Clock) -> None:
        self.counters = Counters()
        self.disconnected: str | None = "not connected yet"
        """Why nothing is heard; None while there is a subscription."""
        self._link = link
        self._writer = writer
        self._name = name
        self._clock = clock
        self._waiting: list[Arrival] = []
        self._unsettled: list[Callable[[], object]] = []
        self._named: set[str] = set()

    @property
    def waiting(self) -> int:
        """Messages that were read and are not in the database: it refused them, and is tried again."""
        return len(self._waiting)

    def take(self, events: Sequence[LinkEvent]) -> None:
        """Commit all that came, then send receipts. Raises StorageError: what came then waits here, for the
        next call."""
        self._waiting.extend(self._read(events))
        while self._waiting:
            batch = self._waiting[:MOST_ROWS]
            stored = self._writer.store(batch, self._clock.utc_ns())
            del self._waiting[:MOST_ROWS]
            self._count(stored)
            self._send_receipts(batch)
        self._settle()
        self._writer.tidy()

    def _read(self, events: Sequence[LinkEvent]) -> Iterator[Arrival]:
        for event in events:
            if not isinstance(event, Received):
                self._note(event)
                continue
            if event.settle is not None:
                self._unsettled.append(event.settle)
            if not event.topic.endswith(_VISIT) and (told := self._arrival(event)) is not None:
                yield told

    def _settle(self) -> None:
        """Of all that came, nothing waits: what was no message of a device is settled as well."""
        for settle in self._unsettled:
            settle()
        self._unsettled.clear()

    def _note(self, event: LinkEvent) -> None:
        match event:
            case Connected():
                self.disconnected = "connected, not subscribed yet"
            case Subscribed(refused=()):
                self.disconnected = None
                log.info("subscribed: what devices tell arrives")
            case Subscribed(refused=refused):
                self.disconnected = f"the broker refused to subscribe {'; '.join(refused)}"
                log.error("%s", self.disconnected)
            case Disconnected(reason=reason):
                if reason != self.disconnected:
                    log.warning("no connection: %s", reason)
                self.disconnected = reason
            case Acked(reason_code=code, reason=reason) if code >= REFUSED:
                self.counters.receipts_refused += 1
                self.counters.last_refusal = f"the broker did not take what was sent: {reason}"

    def _arrival(self, received: Received) -> Arrival | None:
        self.counters.received += 1
        try:
            told = arrival(received)
        except ValueError as error:
            self.counters.refused += 1
            self.counters.last_refusal = f"{received.topic}: {error}"[:500]
            return None
        if told.name == UNKNOWN:
            self._note_unknown(told.topic)
        return told

    def _note_unknown(self, topic: str) -> None:
        self.counters.unknown += 1
        kind = topic.split("/")[5]
        if kind not in self._named and len(self._named) < _MOST_NAMED:
            self._named.add(kind)
            log.warning("%r is not known here, of %r: kept aside; is this collector too old?", kind, topic)

    def _count(self, stored: Stored) -> None:
        self.counters.committed += stored.new
        self.counters.duplicates += stored.duplicates
        self.counters.quarantined += stored.quarantined

    def _send_receipts(self, batch: Sequence[Arrival]) -> None:
        by_device: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
        for told in batch:
            if told.seq is not None:
                by_device[told.site, told.device].append((told.boot_id, told.seq))
        now_ns = self._clock.utc_ns()
        for (site, device), committed in by_device.items():
            for part in _receipts(committed):
                message = receipt_message(site, device, self._name, part, now_ns)
                self._link.publish(Topics(site, device).receipt, encode(message))
                self.counters.receipts += 1


def _receipts(committed: Sequence[tuple[str, int]]) -> Iterator[Sequence[tuple[str, int]]]:
    """In parts that a receipt may hold."""
    distinct = sorted(set(committed))
    if len({boot_id for boot_id, _ in distinct}) <= _MOST_RUNS:
        for begin in range(0, len(distinct), _MOST_SEQS):
            yield distinct[begin : begin + _MOST_SEQS]
        return
    for one in distinct:
        yield [one]
