"""Messages as devices send them, and a collector's inside to try them on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, select

from edgeguard.alerts.blind import coverage_message
from edgeguard.alerts.exchange import Outcome, Unavailable, result_message
from edgeguard.alerts.link import Received
from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    alert_message,
    clock_message,
    encode,
    health_message,
    status_message,
)
from edgeguard.collector.database import Database
from edgeguard.collector.intake import Arrival, arrival
from edgeguard.types import CoverageDay, SourceDay
from tests.support.alerts import IDENTITY, UTC_NS, alert

PART = {"state": "ok", "reason": None, "since_utc_ns": UTC_NS}


def an_alert(seq: int, identity: Identity = IDENTITY, alert_values: Any = None, **members: Any) -> Received:
    """An alert of number `seq`; `alert_values` are of the alert, `members` replace those of the message."""
    one = alert(**(alert_values or {}))
    body = {**alert_message(one, identity, seq, 0, ClockQuality()), **members}
    return Received(identity.topics.alert(one.source, one.kind), encode(body), False)


def a_step(seq: int, step_ms: float, identity: Identity = IDENTITY) -> Received:
    body = clock_message(step_ms, identity, seq, UTC_NS, ClockQuality())
    return Received(identity.topics.clock, encode(body), False)


def a_day(seq: int, day: str, identity: Identity = IDENTITY, blind_s: float = 0.0) -> Received:
    sources = (SourceDay("dock", 86_400.0, blind_s, ()),)
    told = CoverageDay(day, "UTC", UTC_NS, UTC_NS + 86_400 * 10**9, sources)
    body = coverage_message(told, identity, seq, UTC_NS, ClockQuality())
    return Received(identity.topics.coverage(day), encode(body), False)


def a_status(
    state: str = "online", identity: Identity = IDENTITY, seq_high: int | None = 0, retained: bool = False
) -> Received:
    utc_ns = None if state == "offline" else UTC_NS
    return Received(
        identity.topics.status, encode(status_message(state, identity, utc_ns, seq_high)), retained
    )


def a_health(
    seq_high: int | None = 0, identity: Identity = IDENTITY, seq: int | None = None, state: str = "ok"
) -> Received:
    report = HealthReport(state, {"publisher": {**PART, "state": state}})
    body = health_message(report, identity, UTC_NS, seq_high, ClockQuality(), seq)
    topic = identity.topics.health if seq is None else identity.topics.health_past
    return Received(topic, encode(body), False)


def a_result(request_id: str, *unavailable: tuple[int, int, str], identity: Identity = IDENTITY) -> Received:
    outcome = Outcome(ok=True, replayed=0, unavailable=[Unavailable(*numbers) for numbers in unavailable])
    body = result_message(identity, request_id, "replay", outcome, UTC_NS)
    return Received(identity.topics.result(request_id), encode(body), False)


def other_device(name: str) -> Identity:
    return replace(IDENTITY, device=name)


def arrivals(received: Iterable[Received]) -> list[Arrival]:
    return [arrival(one) for one in received]


def rows(database: Database, table: Table, *columns: str) -> Sequence[tuple[Any, ...]]:
    """The columns of every row, in the order of the primary key."""
    with database.reading() as connection:
        query = select(*(table.c[name] for name in columns)).order_by(*table.primary_key)
        return [tuple(row) for row in connection.execute(query)]
