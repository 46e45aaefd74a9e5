"""What a damaged or removed file still tells of the ledger: as much of it as can be read and makes sense."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from edgeguard.alerts.messages import Message, encode
from edgeguard.alerts.outbox_file import Database, DatabaseFault
from edgeguard.alerts.parse import parse

LEAP = 1000
"""More revisions than one alert gets from other hands than the policy's."""
_TABLES = {
    "told": "SELECT alert_id, seq, open, body, deadline_ns, deadline_utc_ns FROM told NOT INDEXED",
    "verdict": "SELECT rule, verdict, count FROM verdict NOT INDEXED",
    "parcel": "SELECT parcel_id, body, tries, waited_s FROM parcel NOT INDEXED",
}
_KEEP = {
    "told": "INSERT OR IGNORE INTO told VALUES (?, ?, ?, ?, ?, ?)",
    "verdict": "INSERT OR IGNORE INTO verdict VALUES (?, ?, ?)",
    "parcel": "INSERT OR IGNORE INTO parcel VALUES (NULL, ?, ?, ?, ?)",
}
_KINDS: dict[str, tuple[type | tuple[type, ...], ...]] = {
    "told": (str, int, int, bytes, (int, type(None)), (int, type(None))),
    "verdict": (str, str, int),
    "parcel": (str, bytes, int, (int, float)),
}


def take_over(db: Database, lost: Database) -> None:
    """Put into `db` what `lost` still holds."""
    for table in _TABLES:
        for row in _rows(lost, table):
            db.execute(_KEEP[table], _leapt(row) if table == "told" else row)


def _rows(lost: Database, table: str) -> Iterator[tuple[Any, ...]]:
    """Reading stops at the first page that is damaged."""
    try:
        for row in lost.execute(_TABLES[table]):
            if _makes_sense(table, row):
                yield row
    except (DatabaseFault, OverflowError, UnicodeDecodeError):
        return


def _makes_sense(table: str, row: tuple[Any, ...]) -> bool:
    if not all(isinstance(value, kind) for value, kind in zip(row, _KINDS[table], strict=True)):
        return False
    return table != "told" or readable(row[3], row[0]) is not None


def readable(body: Any, alert_id: str) -> Message | None:
    """The alert that `told` holds under its id; None if damage has come over it."""
    try:
        message = parse(body, "alert") if isinstance(body, bytes) else None
    except ValueError:
        return None
    return message if message is not None and message["alert_id"] == alert_id else None


def _leapt(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """What was read may be older than what was told last, and no revision is given twice."""
    message = json.loads(row[3])
    message["revision"] += LEAP
    return (*row[:3], encode(message), *row[4:])
