"""Alerts and clock steps as rows: every revision, each alert at its newest, times corrected."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, Insert, select, update

from edgeguard.client.times import utc_ns
from edgeguard.collector.intake import MOST_NS, Arrival
from edgeguard.collector.rows import Row, insert_into, insert_new, run_plainly, word
from edgeguard.collector.tables import alert, clock_step, revision

Arrived = tuple[int, Arrival]
_KEY = ("device_id", "alert_id", "revision")


def store_steps(connection: Connection, steps: Sequence[Arrived]) -> None:
    """Note the steps, and correct by them what was told before them and is here already."""
    rows: list[Row] = [
        {
            "device_id": device_id,
            "boot_id": step.boot_id,
            "seq": step.seq,
            "at_ns": utc_ns(step.message["at"]),
            "step_ms": float(step.message["step_ms"]),
        }
        for device_id, step in steps
    ]
    insert_new(connection, clock_step, rows, "device_id", "boot_id", "seq")
    for row in rows:
        step_ns = _ns(row["step_ms"])
        earlier = (alert.c.device_id == row["device_id"], alert.c.boot_id == row["boot_id"])
        stays_a_time = alert.c.step_ns.between(-MOST_NS - step_ns, MOST_NS - step_ns)
        change = {"opened_ns": alert.c.opened_ns + step_ns, "step_ns": alert.c.step_ns + step_ns}
        connection.execute(
            update(alert).where(*earlier, alert.c.seq < row["seq"], stays_a_time).values(change)
        )


def store_alerts(
    connection: Connection, alerts: Sequence[Arrived], now_ns: int
) -> list[tuple[int, Arrival, str]]:
    """Store revisions that are new by their number. Returns those whose revision is there already, but under
    another number: a device that says two things under one name."""
    by_key: dict[tuple[int, str, int], Arrival] = {}
    contradicting = []
    for device_id, told in alerts:
        key = (device_id, told.message["alert_id"], told.message["revision"])
        if by_key.setdefault(key, told) is not told:
            contradicting.append((device_id, told))
    new = insert_new(connection, revision, [_revision_row(*row, now_ns) for row in by_key.items()], *_KEY)
    contradicting += [(key[0], told) for key, told in by_key.items() if key not in new]
    fresh = [(key[0], told) for key, told in by_key.items() if key in new]
    _keep_newest(connection, fresh, now_ns)
    return [(device_id, told, _CONTRADICTION) for device_id, told in contradicting]


_CONTRADICTION = "this revision of this alert was told before, under another number"


def _revision_row(key: tuple[int, str, int], told: Arrival, now_ns: int) -> Row:
    return {
        **dict(zip(_KEY, key, strict=True)),
        "boot_id": told.boot_id,
        "seq": told.seq,
        "received_ns": now_ns,
        "body": told.body.decode(),
    }


def _keep_newest(connection: Connection, alerts: Sequence[Arrived], now_ns: int) -> None:
    newest: dict[tuple[int, str], Arrival] = {}
    for device_id, told in alerts:
        key = (device_id, told.message["alert_id"])
        if key not in newest or newest[key].message["revision"] < told.message["revision"]:
            newest[key] = told
    if not newest:
        return
    steps = _Steps(connection, {device_id for device_id, _ in newest})
    rows = [_alert_row(key[0], told, steps.after(key[0], told), now_ns) for key, told in newest.items()]
    statement = _replace_older(connection.dialect.name, tuple(rows[0]))
    if connection.dialect.name == "sqlite":
        run_plainly(connection, statement, rows)
    else:
        connection.execute(statement, rows)


@cache
def _replace_older(dialect: str, columns: tuple[str, ...]) -> Insert:
    """Insert alerts, each in place of an older revision of itself."""
    statement = insert_into(dialect, alert)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=[alert.c.device_id, alert.c.alert_id],
        set_={name: new[name] for name in columns if name not in ("device_id", "alert_id")},
        where=new.revision > alert.c.revision,
    )
    # With an answer PostgreSQL takes many rows at once; SQLite does so without one.
    return upsert if dialect == "sqlite" else upsert.returning(alert.c.id)


def _alert_row(device_id: int, told: Arrival, step_ns: int, now_ns: int) -> Row:
    message = told.message
    acknowledged = message["acknowledged"]
    return {
        "device_id": device_id,
        "alert_id": message["alert_id"],
        "revision": message["revision"],
        "boot_id": told.boot_id,
        "seq": told.seq,
        "received_ns": now_ns,
        "opened_ns": utc_ns(message["opened_at"]) + step_ns,
        "step_ns": step_ns,
        "state": message["state"],
        "severity": message["severity"],
        **{name: word(message[name]) for name in ("kind", "source", "rule")},
        "drill": message["drill"],
        "acknowledged": acknowledged is not None,
        "verdict": acknowledged and acknowledged["verdict"],
        "body": told.body.decode(),
    }


class _Steps:
    """The clock steps of some devices, those of this transaction included."""

    def __init__(self, connection: Connection, devices: set[int]) -> None:
        query = select(clock_step.c.device_id, clock_step.c.boot_id, clock_step.c.seq, clock_step.c.step_ms)
        self._steps = list(connection.execute(query.where(clock_step.c.device_id.in_(sorted(devices)))))

    def after(self, device_id: int, told: Arrival) -> int:
        """Nanoseconds by which the clock was stepped since `told`, as far as a column of times takes them."""
        run = (device_id, told.boot_id)
        step_ns = sum(
            _ns(step_ms)
            for *where, seq, step_ms in self._steps
            if tuple(where) == run and seq > (told.seq or 0)
        )
        return max(-MOST_NS, min(MOST_NS, step_ns))


def _ns(step_ms: float) -> int:
    return round(step_ms * 1_000_000)
