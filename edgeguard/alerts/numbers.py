"""The outbox's own counter of numbers, where it has to be moved."""

from __future__ import annotations

from collections.abc import Iterable

from edgeguard.alerts import gaps
from edgeguard.alerts.outbox_file import Database


def renumber(db: Database, from_seq: int, highest: int, shed: Iterable[int] = ()) -> None:
    """Go on above `highest`; of `from_seq`..`highest`, what is not here or was `shed` will not come."""
    left_out = set(shed)
    kept = {seq for (seq,) in db.execute("SELECT seq FROM place WHERE seq >= ?", (from_seq,))}
    for low, high in gaps.holes(from_seq, highest, sorted(kept | left_out)):
        gaps.add(db, low, high, gaps.RENUMBERED)
    for seq in sorted(left_out):
        gaps.add(db, seq, seq, gaps.SHED)
    count_on(db, highest)


def count_on(db: Database, highest: int) -> None:
    """The next number is above `highest`, at least."""
    db.execute("DELETE FROM sqlite_sequence WHERE name = 'message' AND seq <= ?", (highest,))
    db.execute(
        "INSERT INTO sqlite_sequence SELECT 'message', ?"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'message')",
        (highest,),
    )


def highest_of(db: Database) -> int:
    """The highest number that was given, as far as the file knows."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
    return row[0] if row else 0
