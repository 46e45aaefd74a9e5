"""Who is there: status and signs of life as rows of `device`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from edgeguard.client.presence import supersedes
from edgeguard.client.times import utc_ns
from edgeguard.collector.intake import Arrival
from edgeguard.collector.rows import Row, word
from edgeguard.collector.tables import device, run, seen

Arrived = tuple[int, Arrival]
_MINUTE_NS = 60_000_000_000
_PRESENT = ("boot_id", "started_ns", "state")


class Heartbeats:
    """Writes what changed, not every heartbeat; what it remembers of this process only saves work."""

    def __init__(self) -> None:
        self._told_high: dict[tuple[int, str], int] = {}
        self._health: dict[int, object] = {}

    def store(self, connection: Connection, arrived: Sequence[Arrived], now_ns: int) -> None:
        """Note status, health, the highest numbers told, and that the devices are alive."""
        statuses = [row for row in arrived if row[1].name == "status"]
        self._store_statuses(connection, statuses)
        present = [row for row in arrived if row[1].name == "health" and row[1].seq is None]
        self._store_health(connection, present, now_ns)
        self._raise_told_high(connection, [*statuses, *present], now_ns)
        self._note_alive(connection, {device_id for device_id, told in arrived if _is_alive(told)}, now_ns)

    def _store_statuses(self, connection: Connection, statuses: Sequence[Arrived]) -> None:
        if not statuses:
            return
        query = select(device.c.id, device.c.boot_id, device.c.started_ns, device.c.state).where(
            device.c.id.in_({row[0] for row in statuses})
        )
        known = {row.id: (row.boot_id, row.started_ns, row.state) for row in connection.execute(query)}
        changed: dict[int, Arrival] = {}
        for device_id, told in statuses:
            if _is_news(known[device_id], told):
                if told.boot_id != known[device_id][0]:
                    _join_line(connection, device_id, told)
                    self._told_high.pop((device_id, told.boot_id), None)
                changed[device_id] = told
                known[device_id] = _present(told)
        if changed:
            rows = [{"row": device_id, **_status_row(told)} for device_id, told in changed.items()]
            connection.execute(update(device).where(device.c.id == bindparam("row")), rows)

    def _store_health(self, connection: Connection, present: Sequence[Arrived], now_ns: int) -> None:
        """The body, when something changed, or a minute after the last."""
        rows = []
        for device_id, told in present:
            parts = told.message["parts"].items()
            mark = (
                told.boot_id,
                now_ns // _MINUTE_NS,
                [(name, p["state"], p["reason"]) for name, p in parts],
            )
            if self._health.get(device_id) != mark:
                self._health[device_id] = mark
                rows.append({"row": device_id, "health": told.body.decode()})
        if rows:
            connection.execute(update(device).where(device.c.id == bindparam("row")), rows)

    def _raise_told_high(self, connection: Connection, told: Iterable[Arrived], now_ns: int) -> None:
        highest: dict[tuple[int, str], int] = {}
        for device_id, one in told:
            run_of_it, high = (device_id, one.boot_id), one.message["seq_high"]
            if high is not None and high > max(self._told_high.get(run_of_it, 0), highest.get(run_of_it, 0)):
                highest[run_of_it] = high
        if not highest:
            return
        self._told_high |= highest
        rows = [{"row": row, "boot": boot, "high": high} for (row, boot), high in highest.items()]
        its_newest_run = (device.c.id == bindparam("row"), device.c.boot_id == bindparam("boot"))
        rises = device.c.seq_high < bindparam("high")
        change = {"seq_high": bindparam("high"), "told_high_ns": now_ns}
        connection.execute(update(device).where(*its_newest_run, rises).values(change), rows)

    def _note_alive(self, connection: Connection, alive: set[int], now_ns: int) -> None:
        if alive:
            change = {"last_seen_ns": now_ns, "silent_since_ns": None}
            connection.execute(update(device).where(device.c.id.in_(sorted(alive))).values(change))


def note_progress(connection: Connection, devices: set[int], now_ns: int) -> None:
    """These devices told something durable that was new."""
    if devices:
        change = {"progress_ns": now_ns}
        connection.execute(update(device).where(device.c.id.in_(sorted(devices))).values(change))


def _is_alive(told: Arrival) -> bool:
    """A will is told by the broker, and what is retained was told before."""
    return not told.retained and not (told.name == "status" and told.message["state"] == "offline")


def _is_news(known: tuple[Any, ...], told: Arrival) -> bool:
    boot_id, started_ns, _ = known
    present = _present(told)
    if present == known:
        return False
    return supersedes(told.message, told.retained, boot_id, started_ns)


def _present(told: Arrival) -> tuple[Any, ...]:
    return told.boot_id, utc_ns(told.message["started_at"]), told.message["state"]


def _status_row(told: Arrival) -> Row:
    return {
        **dict(zip(_PRESENT, _present(told), strict=True)),
        "custody": told.message["custody"],
        "version": word(told.message["version"])[:64],
    }


def _join_line(connection: Connection, device_id: int, told: Arrival) -> None:
    """A newer run that counts from below what earlier runs reached begins the row of numbers anew."""
    high = told.message["seq_high"]
    if high is None:
        return
    line = connection.execute(select(device.c.line).where(device.c.id == device_id)).scalar_one()
    earlier = select(seen.c.seq).join(
        run, (run.c.device_id == seen.c.device_id) & (run.c.boot_id == seen.c.boot_id)
    )
    reached = connection.execute(
        earlier.where(seen.c.device_id == device_id, run.c.line == line, run.c.boot_id != told.boot_id)
        .order_by(seen.c.seq.desc())
        .limit(1)
    ).scalar()
    if reached is not None and high < reached:
        begin = {"line": line + 1, "seq_high": high, "audited_to": 0}
        connection.execute(update(device).where(device.c.id == device_id).values(begin))
        mine = (run.c.device_id == device_id, run.c.boot_id == told.boot_id)
        connection.execute(update(run).where(*mine).values(line=line + 1))
