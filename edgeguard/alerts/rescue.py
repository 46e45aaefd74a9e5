"""What can still be read of a damaged or removed outbox, so that it is told after all."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from edgeguard.alerts import gaps
from edgeguard.alerts.bounds import ROW_BYTES, Removed, Stock
from edgeguard.alerts.durable import Entry, MessageClass
from edgeguard.alerts.outbox_file import Database, DatabaseFault
from edgeguard.errors import DiskFullError

_ON_DISK = 2
"""How much larger than its messages a file is at most."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message waited."""

    seq: int
    boot_id: str
    worth: MessageClass
    size: int


def take_over(db: Database, lost: Database, now_ns: int, room_bytes: int) -> list[Removed]:
    """Put into `db` what waits in `lost`, is whole, and says of itself what the tables say of it.

    Returns what finds no room: the least important, the oldest first. Raises DiskFullError where that would
    be warnings or alarms, but not for what is wrong with `lost`.
    """
    places = {place.seq: place for place in _places(lost)}
    left_out = _left_out(places.values(), room_bytes)
    for seq in sorted(places.keys() - {one.seq for one in left_out}):
        _copy(db, lost, places[seq], now_ns)
    return left_out


def is_whole(body: object, seq: int, boot_id: str) -> bool:
    """Whether a body can be read and is that of this message."""
    if not isinstance(body, bytes):
        return False
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and (message.get("seq"), message.get("boot_id")) == (seq, boot_id)


def give_up(db: Database, stock: Stock, damaged: Iterable[Entry]) -> None:
    """Remove what nobody could read; `stock` follows."""
    for entry in damaged:
        query = "SELECT rank, size FROM place WHERE seq = ?"
        rank, size = db.execute(query, (entry.seq,)).fetchone()
        db.execute("DELETE FROM message WHERE seq = ?", (entry.seq,))
        db.execute("DELETE FROM place WHERE seq = ?", (entry.seq,))
        gaps.add(db, entry.seq, entry.seq, gaps.RENUMBERED)
        stock.add(MessageClass(rank), -size, -1)


def _left_out(places: Collection[_Place], room_bytes: int) -> list[Removed]:
    left_out = []
    for place in sorted(places, key=lambda place: (-place.worth, -place.seq)):
        room_bytes -= _ON_DISK * place.size
        if room_bytes >= 0:
            continue
        if place.worth >= MessageClass.WARNING:
            raise DiskFullError("there is no room for what can be rescued of the outbox")
        left_out.append(Removed(place.seq, place.worth))
    return left_out


def _copy(db: Database, lost: Database, place: _Place, now_ns: int) -> None:
    try:
        query = "SELECT topic, body FROM message WHERE seq = ? AND boot_id = ?"
        row = lost.execute(query, (place.seq, place.boot_id)).fetchone()
    except (DatabaseFault, UnicodeDecodeError):
        return
    if row is None or not isinstance(row[0], str) or not is_whole(row[1], place.seq, place.boot_id):
        return
    db.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (place.seq, place.boot_id, *row))
    size = len(row[0]) + len(row[1]) + ROW_BYTES
    row = (place.seq, place.boot_id, place.worth, size, now_ns)
    db.execute("INSERT INTO place VALUES (?, ?, ?, ?, ?)", row)


def _places(lost: Database) -> Iterator[_Place]:
    """From both ends, since reading stops at the first page that is damaged."""
    seen: set[int] = set()
    for order in ("ASC", "DESC"):
        try:
            query = f"SELECT seq, boot_id, rank, size FROM place NOT INDEXED ORDER BY seq {order}"  # noqa: S608
            for seq, boot_id, rank, size in lost.execute(query):
                if seq in seen:
                    break
                seen.add(seq)
                if rank in MessageClass.__members__.values() and rank != MessageClass.DELIVERED:
                    yield _Place(seq, boot_id, MessageClass(rank), size if isinstance(size, int) else 0)
        except (DatabaseFault, OverflowError, UnicodeDecodeError):
            continue
