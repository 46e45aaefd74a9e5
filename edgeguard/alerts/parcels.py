"""Escalations that must still be posted: kept in the outbox's file until the receiver took them.

A parcel is written in the transaction that commits the escalation, and removed once it was answered with a
2xx status. While the receiver does not take one, all wait: longer and longer, with jitter. What has waited
for `GIVE_UP_AFTER_S` in all is given up and counted; so is the oldest where too many wait.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from edgeguard.alerts.link import Inbox
from edgeguard.alerts.messages import Message, encode
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.outbox_file import Database
from edgeguard.alerts.webhook import Parcel, Posted
from edgeguard.clock import Clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS parcel (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    parcel_id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    tries INTEGER NOT NULL,
    waited_s REAL NOT NULL
);
"""
GIVE_UP_AFTER_S = 3 * 86_400.0
"""Three days in which the receiver was tried and did not take it."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 2.0, 900.0


@dataclass(frozen=True, slots=True)
class PostReport:
    """How posting goes."""

    waiting: int = 0
    delivered: int = 0
    given_up: int = 0
    """Waited too long, or gave way to newer ones."""
    error: str | None = None
    """Why the last try failed; None if it did not."""


class Parcels:
    """Owned by the publisher's thread; one parcel at a time goes out through `hand_over` and comes back as an
    answer in `answers`. `hand_over` must take it."""

    def __init__(
        self,
        hand_over: Callable[[Parcel], object],
        answers: Inbox[Posted],
        clock: Clock,
        most_waiting: int = 1000,
        error: str | None = None,
    ) -> None:
        """`error` is what is known to be wrong before the first try."""
        self.report = PostReport(error=error)
        self._hand_over = hand_over
        self._inbox = answers
        self._clock = clock
        self._most_waiting = most_waiting
        self._answers: deque[Posted] = deque()
        self._on_its_way = False
        self._failures = 0
        self._next_try_ns = 0
        self._is_news = True
        """Whether the table may hold what `report` does not say."""

    def add(self, db: Database, alert: Message) -> None:
        """Post the escalated `alert`, once this transaction is committed."""
        body = {"type": "alert.escalated", "timestamp": alert["escalated_at"], "data": alert}
        parcel_id = f"escalation_{alert['alert_id']}"
        db.execute(
            "INSERT OR IGNORE INTO parcel VALUES (NULL, ?, ?, 0, 0)",
            (parcel_id, encode(body)),
        )
        self._is_news, self._next_try_ns = True, 0

    def work(self, outbox: Outbox) -> None:
        """Take answers, hand over what is due. Raises StorageError; what was not done is done next time."""
        self._answers.extend(self._inbox.get_all(0))
        while self._answers:
            self._settle(outbox, self._answers[0])
            self._answers.popleft()
        if self._is_news:
            given_up, waiting = outbox.transaction(self._shed)
            self.report = replace(self.report, waiting=waiting, given_up=self.report.given_up + given_up)
            self._is_news = False
        if self.report.waiting and not self._on_its_way and self._clock.monotonic_ns() >= self._next_try_ns:
            self._hand_over_next(outbox)

    def _hand_over_next(self, outbox: Outbox) -> None:
        """Where the file was lost and replaced, there is none of those that waited."""
        parcel = outbox.transaction(_next)
        if parcel is None:
            self._is_news = True
        else:
            self._hand_over(parcel)
            self._on_its_way = True

    def _settle(self, outbox: Outbox, posted: Posted) -> None:
        self._on_its_way = False
        self._is_news = True
        if posted.error is None:
            outbox.transaction(lambda db: _delete(db, posted))
            self._failures = 0
            self.report = replace(self.report, error=None, delivered=self.report.delivered + 1)
            return
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * (1 << min(self._failures, 16)))
        wait_s *= 1 + random.random() / 2  # noqa: S311  jitter, no secret
        outbox.transaction(lambda db: _wait(db, posted, wait_s))
        self._failures += 1
        self._next_try_ns = self._clock.monotonic_ns() + round(wait_s * 1e9)
        self.report = replace(self.report, error=posted.error)

    def _shed(self, db: Database) -> tuple[int, int]:
        """Give up what waited too long and what is too much; how many that were, and how many are left."""
        old = db.execute("DELETE FROM parcel WHERE waited_s >= ?", (GIVE_UP_AFTER_S,)).rowcount
        delete = (
            "DELETE FROM parcel WHERE number <="
            " (SELECT number FROM parcel ORDER BY number DESC LIMIT 1 OFFSET ?)"
        )
        surplus = db.execute(delete, (self._most_waiting,)).rowcount
        (waiting,) = db.execute("SELECT count(*) FROM parcel").fetchone()
        return old + surplus, waiting


def _next(db: Database) -> Parcel | None:
    """The one that was tried least; so one that is never taken does not stand in the way of others."""
    query = "SELECT parcel_id, body FROM parcel ORDER BY tries, number LIMIT 1"
    found = db.execute(query).fetchone()
    return None if found is None else Parcel(*found)


def _delete(db: Database, posted: Posted) -> None:
    db.execute("DELETE FROM parcel WHERE parcel_id = ?", (posted.parcel_id,))


def _wait(db: Database, posted: Posted, wait_s: float) -> None:
    db.execute("UPDATE parcel SET tries = tries + 1 WHERE parcel_id = ?", (posted.parcel_id,))
    db.execute("UPDATE parcel SET waited_s = waited_s + ?", (wait_s,))
