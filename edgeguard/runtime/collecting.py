"""The collector's threads: what comes from the broker, into the database, and receipts back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from edgeguard.alerts.link import Link, LinkEvent, Received
from edgeguard.clock import Clock
from edgeguard.collector.audit import Audit
from edgeguard.collector.database import Database
from edgeguard.collector.ingest import Ingest
from edgeguard.collector.retention import Retention
from edgeguard.collector.writing import Writer
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.stage import STEP_S, Stage

_MOST_MESSAGES = 20_000
_MOST_BYTES = 64 << 20
_NEWS = 1000
"""Room for what is no message: connections and answers."""
_MANY, _GATHER_S = 10, 0.01
"""From so many messages at once on, wait a moment for more: a transaction costs the same for all of them."""
_STOP_S = 2.0
_SWEEP_NS = 600 * 10**9

OpenLink = Callable[[Callable[[LinkEvent], object], str], Link]
"""A link that notifies the given function, for a collector on the database of the given id."""


class Intake:
    """What came from the broker and waits for the database: bounded, what is too much is dropped and counted.

    Nothing is lost by that: no receipt, and the device sends it again.
    """

    def __init__(self, most_messages: int = _MOST_MESSAGES, most_bytes: int = _MOST_BYTES) -> None:
        self.dropped = 0
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._events: Channel[LinkEvent] = Channel(most_messages + _NEWS)
        self._bytes_in = 0  # counted by the link's thread alone
        self._bytes_out = 0  # and by the reader's

    def notify(self, event: LinkEvent) -> None:
        """Called on the link's thread."""
        if isinstance(event, Received):
            if len(self._events) >= self._most_messages or self._bytes >= self._most_bytes:
                self.dropped += 1
                return
            self._bytes_in += len(event.body)
        self._events.put(event)

    def get_all(self, timeout_s: float) -> Sequence[LinkEvent]:
        """Everything that waits, oldest first; waits up to `timeout_s` for something."""
        events = self._events.get_all(timeout_s)
        self._bytes_out += sum(len(event.body) for event in events if isinstance(event, Received))
        return events

    @property
    def _bytes(self) -> int:
        return self._bytes_in - self._bytes_out


class CollectStage(Stage):
    """Takes in, commits and sends receipts; subscribes only once there is a database to commit to."""

    name = "ingest"

    def __init__(
        self, name: str, database: Database, open_link: OpenLink, clock: Clock, broker: Part, own: Part
    ) -> None:
        self.ingest: Ingest | None = None
        self.link: Link | None = None
        self.intake = Intake()
        self._collector = name
        self._database = database
        self._open_link = open_link
        self._clock = clock
        self._broker = broker
        self._own = own
        self._pause = threading.Event()

    @property
    def hears(self) -> bool:
        """Whether there is a subscription."""
        return self.ingest is not None and self.ingest.disconnected is None

    def open(self) -> None:
        if self.ingest is not None:
            return
        self._database.prepare()
        self.link = self._open_link(self.intake.notify, self._database.id)
        self.ingest = Ingest(self.link, Writer(self._database), self._collector, self._clock)
        self.link.start()

    def step(self) -> None:
        assert self.ingest is not None
        self.ingest.take([] if self.ingest.waiting else self._events(STEP_S))
        self._say(self.ingest)

    def finish(self) -> None:
        """Commit what came, send its receipts, disconnect."""
        if self.ingest is None or self.link is None:
            return
        try:
            self.ingest.take(self.intake.get_all(0))
        finally:
            self.link.close()
            deadline_ns = self._clock.monotonic_ns() + round(_STOP_S * 1e9)
            while self.ingest.disconnected is None and self._clock.monotonic_ns() < deadline_ns:
                self.ingest.take([event for event in self._events(0.1) if not isinstance(event, Received)])

    def _events(self, timeout_s: float) -> Sequence[LinkEvent]:
        events = self.intake.get_all(timeout_s)
        if len(events) >= _MANY:
            self._pause.wait(_GATHER_S)
            return [*events, *self.intake.get_all(0)]
        return events

    def _say(self, ingest: Ingest) -> None:
        counters = ingest.counters
        self._broker.set(
            State.DEGRADED if ingest.disconnected else State.OK, ingest.disconnected, "disconnected"
        )
        self._own.set(State.OK)
        self._own.note(
            received=counters.received,
            committed=counters.committed,
            duplicates=counters.duplicates,
            quarantined=counters.quarantined,
            unknown=counters.unknown,
            refused=counters.refused,
            dropped=self.intake.dropped,
            receipts=counters.receipts,
            receipts_refused=counters.receipts_refused,
        )


class AuditStage(Stage):
    """Looks for gaps and silence, and lets go of what is old."""

    name = "audit"

    def __init__(
        self,
        collecting: CollectStage,
        make: Callable[[Link], tuple[Audit, Retention]],
        every_s: float,
        clock: Clock,
        part: Part,
    ) -> None:
        self._collecting = collecting
        self._make = make
        self._every_ns = round(every_s * 1e9)
        self._clock = clock
        self._part = part
        self._audit: Audit | None = None
        self._retention: Retention | None = None
        self._look_ns = self._sweep_ns = self._looked_ns = clock.monotonic_ns()
        self._pause = threading.Event()

    def open(self) -> None:
        if self._audit is None and self._collecting.link is not None:
            self._audit, self._retention = self._make(self._collecting.link)

    def step(self) -> None:
        self._pause.wait(STEP_S)
        self.open()
        if self._audit is None or self._retention is None:
            return
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + self._every_ns
            self._audit.look(self._collecting.hears and not self._looked_away(now_ns))
            self._looked_ns = self._clock.monotonic_ns()
            self._part.set(State.OK)
        if now_ns >= self._sweep_ns and not self._retention.sweep():
            self._sweep_ns = now_ns + _SWEEP_NS

    def _looked_away(self, now_ns: int) -> bool:
        """Whether the database was away or this process stood still: what was told then may still wait, and
        who told it is not silent."""
        return now_ns - self._looked_ns > 2 * self._every_ns
