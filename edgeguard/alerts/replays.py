"""What was asked for again: history that is due once more, after all that waits."""

from __future__ import annotations

from itertools import islice

from edgeguard.alerts import gaps
from edgeguard.alerts.attempts import Attempts
from edgeguard.alerts.exchange import Unavailable
from edgeguard.alerts.outbox_file import Database

MOST_REPLAYED = 10_000
"""Messages that one request brings back, and that wait to be replayed."""

_MOST_EXPLAINED = 2000
"""Ranges in one answer, so that it stays well below what a reader takes."""


class Replays:
    """In memory: after a restart, whoever misses something asks again."""

    def __init__(self) -> None:
        self._asked: dict[int, None] = {}

    def __contains__(self, seq: int) -> bool:
        return seq in self._asked

    def first(self, limit: int) -> list[int]:
        return list(islice(self._asked, max(0, limit)))

    def drop(self, seq: int) -> bool:
        """It was sent, or is gone; whether it had been asked for."""
        return self._asked.pop(seq, 0) is None

    def ask(
        self, db: Database, attempts: Attempts, from_seq: int, to_seq: int, highest: int
    ) -> tuple[int, list[Unavailable]]:
        """How many of from..to come (again), and why the others do not.

        Both speak of the numbers up to the last one named, where there are more than one answer may hold or
        one request bring back.
        """
        kept = "SELECT seq, rank FROM place WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
        last = min(to_seq, highest)
        room = MOST_REPLAYED - len(self._asked)
        rows = db.execute(kept, (min(from_seq, last + 1), last, room)).fetchall()
        end = (rows[-1][0] if rows else from_seq - 1) if len(rows) == room else to_seq
        missing = gaps.explain(db, from_seq, end, [seq for seq, _ in rows], highest)
        if len(missing) > _MOST_EXPLAINED:
            missing = missing[:_MOST_EXPLAINED]
            rows = [row for row in rows if row[0] <= missing[-1].to_seq]
        for seq, rank in rows:
            if rank:
                attempts.postpone(seq, 0)
            else:
                self._asked[seq] = None
        return len(rows), missing
