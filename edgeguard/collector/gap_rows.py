"""Gaps as rows: found, filled, explained, asked about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select, update

from edgeguard.client.ranges import Range, Ranges
from edgeguard.collector import judging
from edgeguard.collector.tables import device, gap, run, seen, unavailable

_MOST_ROWS = 20_000
_MOST_GAPS = 1000
_FIRST_ASK_NS, _LONGEST_ASK_NS = 10 * 10**9, 3600 * 10**9
_ASKED_AT_ONCE = 3
_IN_TURN = (gap.c.next_ask_ns, gap.c.id)


@dataclass(frozen=True, slots=True)
class Found:
    """Numbers of one device."""

    site: str
    device: str
    ranges: Sequence[Range]


_ACCOUNTS = select(
    *(device.c[name] for name in ("id", "site", "device", "line", "audited_to")),
    *(device.c[name] for name in ("seq_high", "told_high_ns", "progress_ns")),
)


def find(connection: Connection, now_ns: int, grace_ns: int) -> list[Found]:
    """Bring every device's account up to now; returns the gaps that are new."""
    rows = _unaudited(connection)
    all_seen = len(rows) < _MOST_ROWS
    came = {key: list(group) for key, group in groupby(rows, key=lambda row: row.device_id)}
    found = []
    for one in connection.execute(_ACCOUNTS):
        numbers = [(row.seq, row.received_ns) for row in came.get(one.id, ())]
        if not numbers and one.seq_high <= one.audited_to:
            continue
        row = judging.Row(one.audited_to, one.seq_high, one.told_high_ns, one.progress_ns)
        audited_to, gaps = judging.judged(row, numbers, now_ns, grace_ns, all_seen=all_seen)
        if audited_to != one.audited_to:
            connection.execute(update(device).where(device.c.id == one.id).values(audited_to=audited_to))
        if gaps:
            new = {"device_id": one.id, "line": one.line, "noticed_ns": now_ns}
            connection.execute(insert(gap), [{**new, "from_seq": a, "to_seq": b} for a, b in gaps])
            found.append(Found(one.site, one.device, gaps))
    return found


def close(connection: Connection) -> None:
    """Take out of the gaps what has come since, and note what will never come."""
    touched = [*_filled_gaps(connection), *_explained_gaps(connection)]
    for one in {row.id: row for row in touched}.values():
        here = Ranges((row.seq, row.seq) for row in connection.execute(_seen_in(one)))
        reasons = [(row.from_seq, row.to_seq, row.reason) for row in connection.execute(_said_of(one))]
        connection.execute(delete(gap).where(gap.c.id == one.id))
        if parts := list(_parts(one, here, reasons)):
            connection.execute(insert(gap), parts)


def to_ask(connection: Connection, now_ns: int) -> list[Found]:
    """The gaps that it is time to ask about, of devices that are there; they are asked again later.

    A few of each device: one with very many must not keep the others from being asked.
    """
    of_device = func.row_number().over(partition_by=gap.c.device_id, order_by=_IN_TURN).label("of_device")
    due = (
        select(gap, device.c.site, device.c.device, of_device)
        .select_from(gap)
        .join(device, and_(device.c.id == gap.c.device_id, device.c.line == gap.c.line))
        .where(gap.c.reason.is_(None), gap.c.next_ask_ns <= now_ns)
        .where(device.c.state == "online", device.c.silent_since_ns.is_(None))
        .subquery()
    )
    wanted = (
        select(due)
        .where(due.c.of_device <= _ASKED_AT_ONCE)
        .order_by(due.c.next_ask_ns, due.c.id)
        .limit(_MOST_GAPS)
    )
    chosen: dict[int, list[Row[Any]]] = defaultdict(list)
    for one in connection.execute(wanted):
        chosen[one.device_id].append(one)
    changes = [
        {"row": one.id, "asked": one.asked + 1, "next_ask_ns": now_ns + _pause_ns(one.asked)}
        for rows in chosen.values()
        for one in rows
    ]
    if changes:
        connection.execute(update(gap).where(gap.c.id == bindparam("row")), changes)
    return [
        Found(rows[0].site, rows[0].device, [(one.from_seq, one.to_seq) for one in rows])
        for rows in chosen.values()
    ]


def _pause_ns(asked: int) -> int:
    return min(_FIRST_ASK_NS << min(asked, 16), _LONGEST_ASK_NS)


def _unaudited(connection: Connection) -> Sequence[Any]:
    """What came in the newest line of each device and is not accounted for."""
    in_line = and_(run.c.device_id == seen.c.device_id, run.c.boot_id == seen.c.boot_id)
    query = (
        select(seen.c.device_id, seen.c.seq, seen.c.received_ns)
        .select_from(seen)
        .join(device, device.c.id == seen.c.device_id)
        .join(run, and_(in_line, run.c.line == device.c.line))
        .where(seen.c.seq > device.c.audited_to)
        .order_by(seen.c.device_id, seen.c.seq)
        .limit(_MOST_ROWS)
    )
    return connection.execute(query).all()


def _filled_gaps(connection: Connection) -> Sequence[Row[Any]]:
    within = and_(seen.c.device_id == gap.c.device_id, seen.c.seq.between(gap.c.from_seq, gap.c.to_seq))
    in_line = and_(
        run.c.device_id == seen.c.device_id, run.c.boot_id == seen.c.boot_id, run.c.line == gap.c.line
    )
    came = select(seen.c.seq).select_from(seen).join(run, in_line).where(within).correlate(gap).exists()
    return connection.execute(select(gap).where(gap.c.reason.is_(None), came).limit(_MOST_GAPS)).all()


def _explained_gaps(connection: Connection) -> Sequence[Row[Any]]:
    said = select(unavailable.c.reason).where(
        unavailable.c.device_id == gap.c.device_id,
        unavailable.c.line == gap.c.line,
        or_(
            gap.c.from_seq.between(unavailable.c.from_seq, unavailable.c.to_seq),
            unavailable.c.from_seq.between(gap.c.from_seq, gap.c.to_seq),
        ),
    )
    return connection.execute(
        select(gap).where(gap.c.reason.is_(None), said.exists()).limit(_MOST_GAPS)
    ).all()


def _seen_in(one: Row[Any]) -> Any:
    in_line = and_(run.c.device_id == seen.c.device_id, run.c.boot_id == seen.c.boot_id)
    return (
        select(seen.c.seq)
        .select_from(seen)
        .join(run, in_line)
        .where(seen.c.device_id == one.device_id, run.c.line == one.line)
        .where(seen.c.seq.between(one.from_seq, one.to_seq))
    )


def _said_of(one: Row[Any]) -> Any:
    return select(unavailable).where(
        unavailable.c.device_id == one.device_id,
        unavailable.c.line == one.line,
        unavailable.c.from_seq <= one.to_seq,
        unavailable.c.to_seq >= one.from_seq,
    )


def _parts(one: Row[Any], here: Ranges, reasons: Sequence[tuple[int, int, str]]) -> Iterator[dict[str, Any]]:
    """What is left of a gap: explained ranges, then what is still open."""
    row = {key: value for key, value in one._mapping.items() if key != "id"}
    for first, last, reason in reasons:
        for part in list(here.missing(max(first, one.from_seq), min(last, one.to_seq))):
            here.add(*part)
            yield {**row, "from_seq": part[0], "to_seq": part[1], "reason": reason}
    for part in here.missing(one.from_seq, one.to_seq):
        yield {**row, "from_seq": part[0], "to_seq": part[1]}
