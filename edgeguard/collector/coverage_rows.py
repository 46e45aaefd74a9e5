"""Days of coverage as rows: each day of each device as it was told last."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from edgeguard.collector.intake import Arrival
from edgeguard.collector.rows import Row, insert_into
from edgeguard.collector.tables import coverage

Arrived = tuple[int, Arrival]


def store_coverage(connection: Connection, days: Sequence[Arrived], now_ns: int) -> None:
    """Keep each day; of one that came twice, the one with the higher number."""
    newest: dict[tuple[int, str], Row] = {}
    for device_id, told in sorted(days, key=lambda row: row[1].seq or 0):
        newest[device_id, told.message["day"]] = {
            "device_id": device_id,
            "day": told.message["day"],
            "seq": told.seq,
            "received_ns": now_ns,
            "body": told.body.decode(),
        }
    if not newest:
        return
    statement = insert_into(connection.dialect.name, coverage)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=[coverage.c.device_id, coverage.c.day],
        set_={name: new[name] for name in ("seq", "received_ns", "body")},
        where=new.seq > coverage.c.seq,
    )
    connection.execute(upsert, list(newest.values()))
