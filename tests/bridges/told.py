"""Messages as a device would tell them, and a bridge that is told them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    alert_message,
    counts_message,
    health_message,
    status_message,
)
from edgeguard.bridges import Bridge, Publication
from edgeguard.clock import Clock, ManualClock
from edgeguard.types import Alert, Counts
from tests.support.alerts import IDENTITY, UTC_NS

Message = dict[str, Any]


def part(state: str = "ok", rate_per_s: float | None = None, **counters: object) -> Message:
    rate = {} if rate_per_s is None else {"rate_per_s": rate_per_s}
    return {"state": state, "reason": None, "since_utc_ns": UTC_NS, **rate, **counters}


PARTS = {
    "camera/gate": part(rate_per_s=5.0, frames_replaced=0),
    "microphone/hall": part(rate_per_s=10.0),
    "detector": part(rate_per_s=5.0),
    "outbox": part(pending=3),
}


def status(state: str = "online", identity: Identity = IDENTITY, at_s: float = 0.0) -> Message:
    told_ns = None if state == "offline" else UTC_NS + round(at_s * 1e9)
    return status_message(state, identity, told_ns, 0)


def health(
    parts: Message | None = None, state: str = "ok", identity: Identity = IDENTITY, at_s: float = 0.0
) -> Message:
    report = HealthReport(state, PARTS if parts is None else parts)
    return health_message(report, identity, UTC_NS + round(at_s * 1e9), 0, ClockQuality())


def counts(
    people: int, moving: int = 0, identity: Identity = IDENTITY, source: str = "gate", zone: str = "yard"
) -> Message:
    seen = {"person": people} if people else {}
    return counts_message(
        Counts(source, seen, {"person": moving} if moving else {}, {zone: seen}), identity, UTC_NS
    )


def alert_body(alert: Alert, seq: int = 1, identity: Identity = IDENTITY) -> Message:
    return alert_message(alert, identity, seq, 6, ClockQuality("synced", 1.0))


class Told:
    """A bridge, the clock it lives by, and what it said."""

    def __init__(self, make: Callable[[Clock], Bridge]) -> None:
        self.clock = ManualClock(utc_offset_ns=UTC_NS)
        self.bridge = make(self.clock)
        self.said: list[Publication] = list(self.bridge.greet())

    def tell(self, body: Message, live: bool = True) -> list[Publication]:
        """What the bridge says to a message."""
        said = self.bridge.take(body["schema"].split(".")[1], body, live)
        self.said += said
        return said

    def after(self, seconds: float) -> list[Publication]:
        """What it says by itself, so much later."""
        self.clock.advance(seconds)
        said = self.bridge.tick()
        self.said += said
        return said


def payloads(publications: list[Publication]) -> dict[str, str]:
    """What each topic says; asserts that none says two things at once."""
    by_topic = {one.topic: one.payload for one in publications}
    assert len(by_topic) == len(publications)
    return by_topic


def messages(publications: list[Publication], topic: str) -> list[Message]:
    """The JSON messages on a topic, in order."""
    return [json.loads(one.payload) for one in publications if one.topic == topic]
