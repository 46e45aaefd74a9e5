"""What is old goes, a little at a time, so that taking in never waits long.

An alarm that nobody acknowledged is kept longer than the rest. A gap that is not explained is kept as long as
the longest: it is the proof that something is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, select, true, tuple_

from edgeguard.clock import Clock
from edgeguard.collector.database import Database
from edgeguard.collector.tables import (
    alert,
    clock_step,
    coverage,
    device,
    gap,
    health,
    quarantine,
    result,
    revision,
    seen,
    unavailable,
)

_DAY_NS = 86_400 * 10**9
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """For how long, and how much."""

    days: int
    unacknowledged_days: int
    """For alarms and critical alerts that nobody acknowledged; at least `days`."""
    health_days: int
    most_alerts: int


class Retention:
    """Owned by one thread. Raises StorageError."""

    def __init__(
        self, database: Database, limits: Limits, clock: Clock, ages_to: Callable[[], int] | None = None
    ) -> None:
        """`ages_to` is the UTC (ns) that ages are counted to, in place of the clock's."""
        self._database = database
        self._limits = limits
        self._ages_to = ages_to or clock.utc_ns

    def sweep(self) -> bool:
        """Delete some of what is too old or too much; True if there may be more."""
        now_ns, limits = self._ages_to(), self._limits
        longest_ns = max(limits.unacknowledged_days, limits.days) * _DAY_NS
        past, long_past = now_ns - limits.health_days * _DAY_NS, now_ns - longest_ns
        with self._database.writing() as connection:
            gone = _forget_alerts(connection, _too_old(now_ns, limits), _AT_ONCE)
            if not gone and (surplus := _surplus(connection, alert, limits.most_alerts)):
                gone = _forget_least_needed(connection, min(surplus, _AT_ONCE))
            for table in (health, quarantine, result):
                gone += _forget(connection, table, table.c.received_ns < past)
            gone += _forget_first(connection, _surplus(connection, quarantine, limits.most_alerts))
            gone += _forget(connection, coverage, coverage.c.received_ns < now_ns - limits.days * _DAY_NS)
            gone += _forget(connection, seen, seen.c.received_ns < long_past, _is_accounted())
            gone += _forget(connection, gap, gap.c.noticed_ns < long_past)
            gone += _forget(connection, clock_step, clock_step.c.at_ns < long_past - longest_ns)
            gone += _forget(connection, unavailable, _is_said_and_done())
        return gone >= _AT_ONCE


def _unacknowledged_alarm() -> ColumnElement[bool]:
    return alert.c.severity.in_(("alarm", "critical")) & ~alert.c.acknowledged & ~alert.c.drill


def _too_old(now_ns: int, limits: Limits) -> ColumnElement[bool]:
    kept_ns = now_ns - max(limits.unacknowledged_days, limits.days) * _DAY_NS
    old = alert.c.received_ns < now_ns - limits.days * _DAY_NS
    return old & (~_unacknowledged_alarm() | (alert.c.received_ns < kept_ns))


def _forget_least_needed(connection: Connection, limit: int) -> int:
    """Two questions that each walk an index: in one, every alert would have to be sorted each time."""
    gone = _forget_alerts(connection, ~_unacknowledged_alarm(), limit)
    return gone or _forget_alerts(connection, true(), limit)


def _surplus(connection: Connection, table: Table, most: int) -> int:
    return max(0, connection.execute(select(func.count()).select_from(table)).scalar_one() - most)


def _forget_alerts(connection: Connection, which: ColumnElement[bool], limit: int) -> int:
    """Of those the ones that came first."""
    query = select(alert.c.device_id, alert.c.alert_id).where(which).order_by(alert.c.received_ns)
    keys = connection.execute(query.limit(limit)).all()
    for table in (revision, alert):
        _delete(connection, table, [table.c.device_id, table.c.alert_id], keys)
    return len(keys)


def _forget(connection: Connection, table: Table, *which: ColumnElement[bool]) -> int:
    key = list(table.primary_key)
    keys = connection.execute(select(*key).where(*which).limit(_AT_ONCE)).all()
    _delete(connection, table, key, keys)
    return len(keys)


def _forget_first(connection: Connection, surplus: int) -> int:
    """Of what was put aside: a device at fault or in other hands can tell any amount of it."""
    query = select(quarantine.c.id).order_by(quarantine.c.id).limit(min(surplus, _AT_ONCE))
    keys = connection.execute(query).all() if surplus else []
    _delete(connection, quarantine, [quarantine.c.id], keys)
    return len(keys)


def _delete(
    connection: Connection, table: Table, key: Sequence[ColumnElement[Any]], keys: Sequence[Sequence[Any]]
) -> None:
    """One by one on SQLite: it took eight times as long over several by more than one column."""
    if not keys:
        return
    if connection.dialect.name == "sqlite":
        names = [f"key{number}" for number in range(len(key))]
        same = [column == bindparam(name) for column, name in zip(key, names, strict=True)]
        connection.execute(delete(table).where(*same), [dict(zip(names, one, strict=True)) for one in keys])
    else:
        connection.execute(delete(table).where(tuple_(*key).in_(keys)))


def _is_accounted() -> ColumnElement[bool]:
    """Its number was audited, so that the row is not needed to find gaps."""
    return seen.c.seq <= select(device.c.audited_to).where(device.c.id == seen.c.device_id).scalar_subquery()


def _is_said_and_done() -> ColumnElement[bool]:
    """No gap is open that it could explain, and none will be found there."""
    mine = (gap.c.device_id == unavailable.c.device_id) & gap.c.reason.is_(None)
    open_gap = select(gap.c.id).where(mine, gap.c.from_seq <= unavailable.c.to_seq)
    audited_to = select(device.c.audited_to).where(device.c.id == unavailable.c.device_id)
    return (unavailable.c.to_seq <= audited_to.scalar_subquery()) & ~open_gap.exists()
