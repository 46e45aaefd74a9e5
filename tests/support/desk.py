"""A whole publisher with its desk, on a fake link and a clock by hand: what is said to it, what it does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeguard.alerts.audit import AuditLog
from edgeguard.alerts.desk import Desk
from edgeguard.alerts.escalation import Escalation
from edgeguard.alerts.exchange import ack_message, command_message
from edgeguard.alerts.fake import FakeLink, Publication
from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.messages import ClockQuality, Identity, encode
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.parcels import Parcels
from edgeguard.alerts.publisher import Input, Publisher
from edgeguard.alerts.webhook import Parcel, Posted
from edgeguard.clock import ManualClock
from tests.support.alerts import IDENTITY, body

Json = dict[str, Any]
TOPICS = IDENTITY.topics
SITE, DEVICE = IDENTITY.site, IDENTITY.device


class Inbox(list[Any]):
    """A channel without threads."""

    def get_all(self, timeout_s: float | None = None) -> list[Any]:
        taken = list(self)
        self.clear()
        return taken


class DeskBench:
    """Time moves only when told to. `parcels` holds what was handed over to be posted."""

    def __init__(
        self,
        folder: Path,
        escalation: Escalation | None = None,
        *,
        webhook: bool = False,
        identity: Identity = IDENTITY,
        clock: ManualClock | None = None,
        quality: str = "synced",
        most_over: int = 10_000,
        ballast_bytes: int = 0,
    ) -> None:
        self.folder = folder
        self.ballast_bytes = ballast_bytes
        self.clock = clock or ManualClock()
        self.inbox: Inbox = Inbox()
        self.posted: Inbox = Inbox()
        self.parcels: list[Parcel] = []
        self.link = FakeLink(self.inbox.append)
        self.audit = AuditLog(folder, self.clock)
        self.ledger = Ledger(identity.boot_id, self.clock, escalation, most_over)
        parcels = Parcels(self.parcels.append, self.posted, self.clock) if webhook else None

        def clock_quality() -> ClockQuality:
            return ClockQuality(quality)

        self.desk = Desk(identity, self.clock, clock_quality, self.ledger, self.audit, parcels)
        self.outbox: Outbox | None = None
        self.publisher = Publisher(
            self.inbox, self.open_outbox, self.link, identity, self.clock, clock_quality, gate=self.desk
        )
        self.publisher.start()
        self.run()

    def open_outbox(self) -> Outbox:
        self.outbox = Outbox(
            self.folder / "outbox.db", self.clock, self.ledger, ballast_bytes=self.ballast_bytes
        )
        return self.outbox

    def run(self, *values: Input, after_s: float = 0.0) -> None:
        """Steps until nothing more is said."""
        self.clock.advance(after_s)
        self.inbox.extend(values)
        self.publisher.run_once(0)
        while self.inbox:
            self.publisher.run_once(0)

    def say(self, topic: str, message: Json | bytes, **properties: Any) -> None:
        """Somebody publishes to the device."""
        self.link.deliver(topic, message if isinstance(message, bytes) else encode(message), **properties)
        self.run()

    def ack(self, alert_id: str, verdict: str | None = None, by: str = "eva", **other: Any) -> Json:
        """Somebody acknowledges; returns the answer."""
        message = ack(alert_id, self.clock.utc_ns(), verdict, by, **other)
        self.say(TOPICS.ack, message)
        return self.result(message["ack_id"])

    def command(self, verb: str, **other: Any) -> Json:
        message = command(verb, self.clock.utc_ns(), **other)
        self.say(TOPICS.command(verb), message)
        return self.result(message["command_id"])

    def answer_post(self, error: str | None = None) -> None:
        """The receiver of the webhook answers the newest parcel."""
        self.posted.append(Posted(self.parcels[-1].parcel_id, error))
        self.run(after_s=1.0)

    def result(self, request_id: str) -> Json:
        return [told for told in self.results if told["id"] == request_id][-1]

    @property
    def results(self) -> list[Json]:
        return [body(one) for one in self.publications(lambda one: "/up/result/" in one.topic)]

    @property
    def told(self) -> list[Json]:
        """Every copy of an alert that was sent."""
        return [body(one) for one in self.publications(lambda one: "/up/alert/" in one.topic)]

    def publications(self, wanted: Callable[[Publication], bool]) -> list[Publication]:
        return [one for one in self.link.publications if wanted(one)]

    @property
    def audited(self) -> list[Json]:
        path = self.folder / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def known(self, alert_id: str) -> Json | None:
        """What the ledger says of an alert."""
        assert self.outbox is not None
        return self.outbox.transaction(lambda db: self.ledger.find(db, alert_id))


def ack(alert_id: str, utc_ns: int, verdict: str | None = None, by: str = "eva", **other: Any) -> Json:
    ack_id = str(uuid.uuid4())
    message = ack_message(SITE, DEVICE, alert_id, ack_id=ack_id, by=by, utc_ns=utc_ns, verdict=verdict)
    return {**message, **other}


def command(verb: str, utc_ns: int, **other: Any) -> Json:
    command_id = str(uuid.uuid4())
    message = command_message(SITE, DEVICE, verb, command_id=command_id, by="eva", utc_ns=utc_ns)
    return {**message, **other}
