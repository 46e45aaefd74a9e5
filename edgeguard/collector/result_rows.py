"""What devices answered, and the numbers of which they said that they will never come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from edgeguard.collector.intake import MOST, Arrival
from edgeguard.collector.rows import Row, insert_new
from edgeguard.collector.tables import result, run, unavailable

Arrived = tuple[int, Arrival]
_KEY = ("device_id", "line", "from_seq", "to_seq")


def store_results(connection: Connection, results: Sequence[Arrived], now_ns: int) -> None:
    """Keep each answer once."""
    rows: list[Row] = [
        {
            "device_id": device_id,
            "request_id": answer.message["id"],
            "received_ns": now_ns,
            "body": answer.body.decode(),
        }
        for device_id, answer in results
    ]
    insert_new(connection, result, rows, "device_id", "request_id")
    for device_id, answer in results:
        insert_new(connection, unavailable, list(_explained(connection, device_id, answer)), *_KEY)


def _explained(connection: Connection, device_id: int, answer: Arrival) -> Iterator[Row]:
    ranges = answer.message["unavailable"]
    if not ranges:
        return
    line = connection.execute(
        select(run.c.line).where(run.c.device_id == device_id, run.c.boot_id == answer.boot_id)
    ).scalar_one()
    for numbers in ranges:
        first, last = numbers["from_seq"], min(numbers["to_seq"], MOST)
        if first <= last:
            yield {
                **dict(zip(_KEY, (device_id, line, first, last), strict=True)),
                "reason": numbers["reason"],
            }
