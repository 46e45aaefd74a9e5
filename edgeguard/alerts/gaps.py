"""Numbers that will never come, and why: kept as ranges in the outbox's file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from operator import itemgetter

from edgeguard.alerts.exchange import Unavailable
from edgeguard.alerts.outbox_file import Database

SHED, EXPIRED, RENUMBERED, UNASSIGNED = "shed", "expired", "renumbered", "unassigned"

SCHEMA = """
CREATE TABLE IF NOT EXISTS gap (
    from_seq INTEGER PRIMARY KEY, to_seq INTEGER NOT NULL, reason TEXT NOT NULL
);
"""
MOST_RANGES = 10_000


def add(db: Database, from_seq: int, to_seq: int, reason: str) -> None:
    """Remember a range that overlaps none; it grows together with its neighbours of the same reason."""
    below = "SELECT from_seq, to_seq, reason FROM gap WHERE from_seq < ? ORDER BY from_seq DESC LIMIT 1"
    before = db.execute(below, (from_seq,)).fetchone()
    after = db.execute(
        "SELECT from_seq, to_seq FROM gap WHERE from_seq = ? AND reason = ?", (to_seq + 1, reason)
    ).fetchone()
    if after:
        db.execute("DELETE FROM gap WHERE from_seq = ?", (after[0],))
    start = before[0] if before and before[1:] == (from_seq - 1, reason) else from_seq
    db.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?)", (start, after[1] if after else to_seq, reason))


def bound(db: Database, most: int = MOST_RANGES) -> None:
    """Where there are too many ranges, make one of those between which nothing is kept.

    What lies between them was delivered and has expired, so it will not come either. So there are never many
    more ranges than messages.
    """
    (count,) = db.execute("SELECT count(*) FROM gap").fetchone()
    if count <= most:
        return
    rows = db.execute(
        "SELECT from_seq, to_seq, (SELECT min(seq) FROM place WHERE seq > to_seq) FROM gap ORDER BY from_seq"
    ).fetchall()
    for _, group in groupby(rows, key=itemgetter(2)):
        ranges = list(group)
        if len(ranges) > 1:
            low, high = ranges[0][0], ranges[-1][1]
            db.execute("DELETE FROM gap WHERE from_seq BETWEEN ? AND ?", (low, high))
            db.execute("INSERT INTO gap VALUES (?, ?, ?)", (low, high, SHED))


def between(db: Database, from_seq: int, to_seq: int) -> list[Unavailable]:
    """The ranges that touch from..to, cut to it."""
    rows = db.execute(
        "SELECT from_seq, to_seq, reason FROM gap WHERE from_seq <= ? AND to_seq >= ? ORDER BY from_seq",
        (to_seq, from_seq),
    )
    return [Unavailable(max(low, from_seq), min(high, to_seq), reason) for low, high, reason in rows]


def explain(db: Database, from_seq: int, to_seq: int, kept: Iterable[int], highest: int) -> list[Unavailable]:
    """Why each number of from..to that is not in `kept` (rising) will not come."""
    known = between(db, from_seq, min(to_seq, highest))
    found = [
        piece
        for low, high in holes(from_seq, min(to_seq, highest), kept)
        for piece in _split(low, high, known)
    ]
    if to_seq > highest:
        found.append(Unavailable(max(from_seq, highest + 1), to_seq, UNASSIGNED))
    return found


def holes(from_seq: int, to_seq: int, kept: Iterable[int]) -> list[tuple[int, int]]:
    """The ranges of from..to between the numbers of `kept`, which rise."""
    found = []
    next_seq = from_seq
    for seq in kept:
        if seq > next_seq:
            found.append((next_seq, seq - 1))
        next_seq = seq + 1
    if next_seq <= to_seq:
        found.append((next_seq, to_seq))
    return found


def _split(low: int, high: int, known: Sequence[Unavailable]) -> list[Unavailable]:
    """The hole as pieces with a reason each: the known ones (in rising order), and `expired` between them."""
    pieces = []
    for gap in islice(known, bisect_left(known, low, key=lambda gap: gap.to_seq), None):
        start, end = max(gap.from_seq, low), min(gap.to_seq, high)
        if start > end:
            break
        if start > low:
            pieces.append(Unavailable(low, start - 1, EXPIRED))
        pieces.append(Unavailable(start, end, gap.reason))
        low = end + 1
    if low <= high:
        pieces.append(Unavailable(low, high, EXPIRED))
    return pieces
