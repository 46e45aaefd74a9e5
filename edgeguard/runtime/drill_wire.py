"""Where the alerts of a drill pass through rooms that know nothing of it: fusion, the outbox, the broker."""

from __future__ import annotations

import json
from collections.abc import Callable

from edgeguard.alerts.configured import ConfigReport
from edgeguard.alerts.gate import Gate, Say
from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.link import Acked, Link, LinkEvent, Received
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.trouble import NO_SUBSCRIBER, REFUSED
from edgeguard.clock import Clock
from edgeguard.runtime.alerting import Fusing
from edgeguard.runtime.drill_book import DrillBook
from edgeguard.types import Observation, drill


class Apart:
    """The site's fuser, which never hears of a drill: its patterns are about what is real."""

    def __init__(self, fuser: Fusing, book: DrillBook, clock: Clock) -> None:
        self._fuser = fuser
        self._book = book
        self._clock = clock

    @property
    def late(self) -> int:
        return self._fuser.late

    @property
    def crowded(self) -> int:
        return self._fuser.crowded

    def update(self, observation: Observation) -> list[Observation]:
        if observation.source not in drill.SOURCES and observation.rule != drill.MISSED:
            return self._fuser.update(observation)
        self._book.noticed(observation, self._clock.monotonic_ns())
        return [observation]

    def tick(self, now_ns: int, utc_ns: int) -> list[Observation]:
        return self._fuser.tick(now_ns, utc_ns)

    def finish(self) -> list[Observation]:
        return self._fuser.finish()


class DrillGate:
    """The publisher's desk, which looks beside its work whether the disk has the alerts of a drill."""

    def __init__(self, desk: Gate, ledger: Ledger, book: DrillBook, clock: Clock) -> None:
        self._desk = desk
        self._ledger = ledger
        self._book = book
        self._clock = clock

    def receive(self, received: Received) -> None:
        self._desk.receive(received)

    def note_config(self, report: ConfigReport) -> None:
        self._desk.note_config(report)

    def work(self, outbox: Outbox, say: Say) -> None:
        """Raises StorageError."""
        self._desk.work(outbox, say)
        for alert_id in self._book.to_commit():
            self._look(outbox, alert_id)

    def _look(self, outbox: Outbox, alert_id: str) -> None:
        alert = outbox.transaction(lambda db: self._ledger.find(db, alert_id), durable=False)
        if alert is not None:
            self._book.committed(alert_id, alert["stages"], self._clock.monotonic_ns())


class DrillLink:
    """The link to the broker; takes down when it was given alerts of a drill."""

    def __init__(self, link: Link, alerts: str, book: DrillBook, clock: Clock) -> None:
        """`alerts` is how the topic of each alert begins."""
        self._link = link
        self._alerts = alerts
        self._book = book
        self._clock = clock

    def start(self) -> None:
        self._link.start()

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        now_ns = self._clock.monotonic_ns()
        mid = self._link.publish(topic, body, retain=retain, correlation=correlation)
        if mid is not None and self._book.running and topic.startswith(self._alerts):
            alert = json.loads(body)
            if alert["drill"]:
                self._book.published(alert["alert_id"], mid, now_ns)
        return mid

    def close(self) -> None:
        self._link.close()


def overhearing(
    notify: Callable[[LinkEvent], object], book: DrillBook, clock: Clock
) -> Callable[[LinkEvent], object]:
    """`notify`, after what the broker answered to a drill was taken down."""

    def overhear(event: LinkEvent) -> None:
        if book.running and isinstance(event, Acked):
            refused = event.reason_code == NO_SUBSCRIBER or event.reason_code >= REFUSED
            book.answered(event.mid, clock.monotonic_ns(), event.reason if refused else None)
        notify(event)

    return overhear
