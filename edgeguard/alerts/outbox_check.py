"""Verifies the outbox's invariants, as they are numbered in `outbox.py`, on its file alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeguard.alerts.bounds import Limits, measure
from edgeguard.alerts.durable import MessageClass
from edgeguard.alerts.exchange import Unavailable
from edgeguard.alerts.outbox_file import Database, DatabaseFault
from edgeguard.alerts.reserve import SeqFloor
from edgeguard.alerts.sqlite import open_to_read
from edgeguard.errors import StorageError

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one check."""

    name: str
    """`file`, `I1` ... `I5`."""
    says: str
    faults: tuple[str, ...]
    """Empty if it holds; at most a few."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an outbox's file holds, and whether it can be believed."""

    findings: tuple[Finding, ...]
    seq_high: int
    rows: dict[str, int]
    """By class; `delivered` is what is kept to be replayed."""
    bytes: dict[str, int]
    oldest: dict[str, Any] | None
    """The message that waits longest: its seq, topic and time."""
    gaps: tuple[Unavailable, ...]
    set_aside: tuple[str, ...]
    """Damaged files beside it."""

    @property
    def sound(self) -> bool:
        return not any(finding.faults for finding in self.findings)


def check(path: Path, limits: Limits | None = None) -> Report:
    """Read `path`, in one transaction, without changing it. Raises StorageError if it cannot be read at all.

    Without `limits` it is not known what may wait, so I5 is not looked at.
    """
    db = open_to_read(path)
    try:
        db.execute("BEGIN")
        return _report(db, path, limits)
    except DatabaseFault as error:
        raise StorageError(f"{path} is damaged or no outbox: {error}") from error
    finally:
        db.close()


def _report(db: Database, path: Path, limits: Limits | None) -> Report:
    stock = measure(db)
    findings = [
        Finding("file", "SQLite finds the file whole", _first(_damage(db))),
        Finding("I1", "every message has its place, and every place its message", _first(_strays(db))),
        Finding("I2", "no number can be given twice", _first(_numbers(db, path))),
        Finding("I3", "every body names its own seq and boot_id", _first(_bodies(db))),
        Finding("I4", "gaps do not overlap, and no message lies in one", _first(_gaps(db))),
    ]
    if limits is not None:
        over = stock.over(limits)
        excess = () if over is None else (f"there is too much of class {over.word}",)
        findings.append(Finding("I5", "what waits is within its limits", excess))
    return Report(
        tuple(findings),
        _seq_high(db),
        {worth.word: stock.rows[worth] for worth in MessageClass},
        {worth.word: stock.bytes[worth] for worth in MessageClass},
        _oldest(db),
        tuple(Unavailable(*row) for row in db.execute("SELECT * FROM gap ORDER BY from_seq")),
        tuple(sorted(aside.name for aside in path.parent.glob(f"{path.name}.damaged-*"))),
    )


def _first(faults: Iterator[str]) -> tuple[str, ...]:
    return tuple(fault for fault, _ in zip(faults, range(_MOST_SHOWN), strict=False))


def _damage(db: Database) -> Iterator[str]:
    rows = db.execute(f"PRAGMA integrity_check({_MOST_SHOWN})")
    yield from (verdict for (verdict,) in rows if verdict != "ok")


def _strays(db: Database) -> Iterator[str]:
    placeless = "SELECT seq FROM message WHERE seq NOT IN (SELECT seq FROM place)"
    yield from (f"message {seq} has no place" for (seq,) in db.execute(placeless))
    empty = "SELECT seq FROM place WHERE seq NOT IN (SELECT seq FROM message)"
    yield from (f"the place of {seq} has no message" for (seq,) in db.execute(empty))
    other = "SELECT seq FROM place JOIN message USING (seq) WHERE place.boot_id <> message.boot_id"
    yield from (f"message {seq} and its place name different runs" for (seq,) in db.execute(other))


def _numbers(db: Database, path: Path) -> Iterator[str]:
    highest, floor = _seq_high(db), SeqFloor(path.with_name(path.name + ".seq")).value
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM message").fetchone()
    if last > highest:
        yield f"message {last} is above the counter, which stands at {highest}"
    if highest > floor:
        yield f"the counter stands at {highest}, but only numbers up to {floor} are reserved"


def _bodies(db: Database) -> Iterator[str]:
    for seq, boot_id, body in db.execute("SELECT seq, boot_id, body FROM message"):
        try:
            message = json.loads(body)
            told = (message["seq"], message["boot_id"])
        except (ValueError, TypeError, KeyError) as error:
            yield f"the body of {seq} cannot be read: {error!r}"
        else:
            if told != (seq, boot_id):
                yield f"the body of {seq} says that it is {told[0]} of run {told[1]}"


def _gaps(db: Database) -> Iterator[str]:
    end = 0
    for low, high, reason in db.execute("SELECT * FROM gap ORDER BY from_seq"):
        if low <= end or high < low:
            yield f"the gap {low}..{high} ({reason}) is inside out or overlaps the one before it"
        end = max(end, high)
    kept = "SELECT seq, from_seq, to_seq FROM gap JOIN place ON seq BETWEEN from_seq AND to_seq"
    yield from (f"message {seq} lies in the gap {low}..{high}" for seq, low, high in db.execute(kept))
    if end > _seq_high(db):
        yield f"a gap ends at {end}, above every number that was given"


def _seq_high(db: Database) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
    return row[0] if row else 0


def _oldest(db: Database) -> dict[str, Any] | None:
    query = "SELECT seq, topic, body FROM place JOIN message USING (seq) WHERE rank > 0 ORDER BY seq LIMIT 1"
    row = db.execute(query).fetchone()
    if row is None:
        return None
    try:
        message = json.loads(row[2])
        at = message.get("observed_at") or message.get("at")
    except (ValueError, AttributeError):
        at = None
    return {"seq": row[0], "topic": row[1], "at": at}
