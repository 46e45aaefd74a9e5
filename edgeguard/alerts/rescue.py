"""What can still be read of a damaged or removed outbox, so that it is told after all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from edgeguard.alerts.bounds import ROW_BYTES
from edgeguard.alerts.durable import MessageClass
from edgeguard.alerts.outbox_file import Database, DatabaseFault


@dataclass(frozen=True, slots=True)
class Rescued:
    """A message that waited."""

    seq: int
    boot_id: str
    worth: MessageClass
    topic: str
    body: bytes


def rescue(lost: Database) -> Iterator[Rescued]:
    """Every waiting message that is whole and says of itself what the tables say of it; never raises."""
    for seq, boot_id, rank in _places(lost):
        try:
            query = "SELECT topic, body FROM message WHERE seq = ? AND boot_id = ?"
            row = lost.execute(query, (seq, boot_id)).fetchone()
        except DatabaseFault:
            continue
        if row is not None and _is_whole(row[1], seq, boot_id):
            yield Rescued(seq, boot_id, MessageClass(rank), *row)


def take_over(db: Database, lost: Database, now_ns: int) -> None:
    """Put into `db` what `lost` still holds."""
    for one in rescue(lost):
        message = (one.seq, one.boot_id, one.topic, one.body)
        db.execute("INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?)", message)
        size = len(one.body) + len(one.topic) + ROW_BYTES
        place = (one.seq, one.boot_id, one.worth, size, now_ns)
        db.execute("INSERT OR IGNORE INTO place VALUES (?, ?, ?, ?, ?)", place)


def _places(lost: Database) -> Iterator[tuple[int, str, int]]:
    """From both ends, since reading stops at the first page that is damaged."""
    seen: set[int] = set()
    for order in ("ASC", "DESC"):
        try:
            query = f"SELECT seq, boot_id, rank FROM place NOT INDEXED ORDER BY seq {order}"  # noqa: S608
            for seq, boot_id, rank in lost.execute(query):
                if seq in seen:
                    break
                seen.add(seq)
                if rank in MessageClass.__members__.values() and rank != MessageClass.DELIVERED:
                    yield seq, boot_id, rank
        except (DatabaseFault, OverflowError):
            continue


def _is_whole(body: object, seq: int, boot_id: str) -> bool:
    if not isinstance(body, bytes):
        return False
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and (message.get("seq"), message.get("boot_id")) == (seq, boot_id)
