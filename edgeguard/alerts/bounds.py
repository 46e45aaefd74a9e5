"""How much the outbox may hold, of what, and what goes first where there is too much.

Room is made in this order, the oldest first within each: what was delivered and is kept only to be replayed;
records of health; transcripts; then alerts of severity info, warning, and last alarm and critical. A class
may take only its share of the whole, so that a flood of lesser messages leaves room for alarms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edgeguard.alerts import gaps
from edgeguard.alerts.durable import WAITING, MessageClass
from edgeguard.alerts.outbox_file import Database

ROW_BYTES = 150
"""What a row takes beside its body and topic."""

_STRIDE = 256
_MOST_TRIMMED = 4096
"""Rows in one transaction, so that it ends soon where limits were lowered; the next one goes on."""

SHARE = {
    MessageClass.HEALTH: 0.1,
    MessageClass.TRANSCRIPT: 0.3,
    MessageClass.INFO: 0.6,
    MessageClass.WARNING: 0.85,
    MessageClass.ALARM: 1.0,
}
"""How much of all that may wait one class may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of what waits, and of what was delivered and is kept to be replayed."""

    rows: int = 100_000
    bytes: int = 192 << 20
    history_rows: int = 20_000
    history_bytes: int = 32 << 20

    def of(self, worth: MessageClass) -> tuple[float, float]:
        """The most rows and bytes of one class."""
        if worth is MessageClass.DELIVERED:
            return self.history_rows, self.history_bytes
        return SHARE[worth] * self.rows, SHARE[worth] * self.bytes


@dataclass(slots=True)
class Stock:
    """Rows and bytes by class."""

    rows: dict[MessageClass, int] = field(default_factory=lambda: dict.fromkeys(MessageClass, 0))
    bytes: dict[MessageClass, int] = field(default_factory=lambda: dict.fromkeys(MessageClass, 0))

    def copy(self) -> Stock:
        return Stock(dict(self.rows), dict(self.bytes))

    def add(self, worth: MessageClass, size: int, count: int = 1) -> None:
        self.rows[worth] += count
        self.bytes[worth] += size

    @property
    def waiting(self) -> int:
        return sum(self.rows[worth] for worth in WAITING)

    @property
    def lowest(self) -> MessageClass | None:
        """The class that goes first; None if there is nothing."""
        return next((worth for worth in MessageClass if self.rows[worth]), None)

    def over(self, limits: Limits) -> MessageClass | None:
        """The class that has to give way; None if all is within its limits."""
        size = sum(self.bytes[worth] for worth in WAITING)
        if self.waiting > limits.rows or size > limits.bytes:
            return next(worth for worth in WAITING if self.rows[worth])
        for worth in MessageClass:
            most_rows, most_bytes = limits.of(worth)
            if self.rows[worth] > most_rows or self.bytes[worth] > most_bytes:
                return worth
        return None


@dataclass(frozen=True, slots=True)
class Removed:
    """A message that gave way."""

    seq: int
    worth: MessageClass


def measure(db: Database) -> Stock:
    """What the file holds."""
    stock = Stock()
    for rank, rows, size in db.execute("SELECT rank, count(*), sum(size) FROM place GROUP BY rank"):
        stock.add(MessageClass(rank), size, rows)
    return stock


def trim(db: Database, stock: Stock, limits: Limits) -> list[Removed]:
    """Remove what is too much; `stock` follows."""
    removed: list[Removed] = []
    while len(removed) < _MOST_TRIMMED and (worth := stock.over(limits)) is not None:
        gone = _remove(db, stock, worth, lambda: stock.over(limits) is worth)
        if not gone:
            break
        removed += gone
    if any(one.worth is not MessageClass.DELIVERED for one in removed):
        gaps.bound(db)
    return removed


def give_way(db: Database, stock: Stock, rows: int, highest: MessageClass) -> list[Removed]:
    """Remove up to `rows` rows of the class that goes first, unless that is above `highest`."""
    worth = stock.lowest
    if worth is None or worth > highest:
        return []
    countdown = iter(range(rows))
    return _remove(db, stock, worth, lambda: next(countdown, None) is not None)


def _remove(db: Database, stock: Stock, worth: MessageClass, more: Callable[[], bool]) -> list[Removed]:
    """The oldest of a class, as long as `more()`, at most a stride of them."""
    oldest = "SELECT seq, size FROM place WHERE rank = ? ORDER BY seq LIMIT ?"
    removed = []
    for seq, size in db.execute(oldest, (worth, _STRIDE)).fetchall():
        if not more():
            break
        db.execute("DELETE FROM message WHERE seq = ?", (seq,))
        db.execute("DELETE FROM place WHERE seq = ?", (seq,))
        stock.add(worth, -size, -1)
        if worth is not MessageClass.DELIVERED:
            gaps.add(db, seq, seq, gaps.SHED)
        removed.append(Removed(seq, worth))
    return removed
