"""Alerts that must still be told, on disk: from `commit` on, an alert is never lost.

Invariants, at every moment and after a power cut:

I1. A row in `alert` is not yet delivered; a delivered or never committed alert has none.
I2. `seq` rises by one per alert and is never given twice, through deletions and restarts.
I3. An alert in `open_alert` was told to be going on, and no closing revision of it was committed.

Commit:   1. Reserve numbers (`SeqFloor`), so that I2 outlives a lost file.
          2. In one transaction (WAL, `synchronous=FULL`: on the disk when it returns) insert each row with
             its final body and note or forget the alert as open.
Deliver:  3. The caller sends what is `due`, says `sent`, and sends again what is due again.
          4. Once delivered, `done` deletes the rows. A cut before that sends them twice, under the same
             alert id and revision.
Open:     5. `quick_check`. A damaged file is set aside under another name, and a new one starts above the
             reserved numbers: the hole tells consumers that alerts may be missing.

When and how often something was sent concerns this run only and lives in a table in memory. One connection,
used by one thread: two connections writing one WAL can corrupt it in SQLite before 3.51.3.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgeguard.alerts.reserve import Ballast, SeqFloor
from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.files import sync

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS alert (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    waits_since_ns INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS open_alert (alert_id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TEMP TABLE attempt (
    seq INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, next_try_ns INTEGER NOT NULL
);
CREATE INDEX temp.attempt_by_time ON attempt (next_try_ns);
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """An alert made ready for its `seq`."""

    topic: str
    body: bytes
    alert_id: str
    open: bool
    """It goes on after this revision."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert on its way."""

    seq: int
    topic: str
    body: bytes
    attempts: int
    """How often it was sent in this run."""
    earlier_run: bool
    """Committed before the outbox was opened."""


class Outbox:
    """The file `path`, its `.seq` and its `.ballast`; every method raises StorageError.

    At `max_bytes` nothing more is committed until something was delivered.
    """

    def __init__(
        self, path: Path, clock: Clock, max_bytes: int = 256 << 20, ballast_bytes: int = 16 << 20
    ) -> None:
        self._path = path
        self._clock = clock
        self._max_bytes = max_bytes
        self._floor = SeqFloor(path.with_name(path.name + ".seq"))
        self._ballast = Ballast(path.with_name(path.name + ".ballast"), ballast_bytes)
        self.set_aside: Path | None = None
        """The damaged file that this one replaces."""
        self.pending = 0
        """Alerts not delivered yet."""
        self.seq_high = 0
        """The highest `seq` given out."""
        self._earlier_high = 0
        self._sent_high = 0
        self._damaged = False
        self._db = self._open()

    @property
    def ballast_used(self) -> bool:
        """The disk was full and the reserve was given up; the next start takes it again, if there is room."""
        return not self._ballast.in_place

    def commit(self, items: Sequence[ItemT], draft: Callable[[ItemT, int], Draft]) -> None:
        """Store `draft(item, seq)` of every item, or none of them."""

        def insert() -> int:
            drafts = [draft(item, seq) for seq, item in enumerate(items, self.seq_high + 1)]
            self._floor.reserve(self.seq_high + len(drafts))
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._insert(drafts)
            return len(drafts)

        stored = self._guard(insert)
        self.seq_high += stored
        self.pending += stored

    def due(self, now_ns: int, limit: int) -> list[Entry]:
        """What to send now: first what this run never sent, then what is to be sent again."""
        return self._guard(lambda: self._due(now_ns, limit))

    def sent(self, seq: int, next_try_ns: int) -> None:
        """It was sent; it is due again at `next_try_ns`, unless `done` comes first."""
        self._guard(lambda: self._sent(seq, next_try_ns))

    def postpone(self, seq: int, next_try_ns: int) -> None:
        """It was not taken; it is due again at `next_try_ns`."""
        change = "UPDATE attempt SET next_try_ns = ? WHERE seq = ?"
        self._guard(lambda: self._db.execute(change, (next_try_ns, seq)))

    def hurry(self, topic: str | None = None) -> None:
        """Everything, or everything for one topic, is due now."""
        change = "UPDATE attempt SET next_try_ns = 0"
        if topic is None:
            self._guard(lambda: self._db.execute(change))
        else:
            change += " WHERE seq IN (SELECT seq FROM alert WHERE topic = ?)"
            self._guard(lambda: self._db.execute(change, (topic,)))

    def done(self, seqs: Iterable[int]) -> int:
        """Delivered: forget them. Returns how many there were."""
        rows = [(seq,) for seq in seqs]

        def delete() -> int:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany("DELETE FROM attempt WHERE seq = ?", rows)
                return self._db.executemany("DELETE FROM alert WHERE seq = ?", rows).rowcount

        deleted = self._guard(delete)
        self.pending -= deleted
        return deleted

    def left_open(self) -> list[bytes]:
        """The latest bodies of the alerts that go on, as far as was told."""
        rows = self._guard(lambda: self._db.execute("SELECT body FROM open_alert").fetchall())
        return [body for (body,) in rows]

    def oldest_wait_ns(self) -> int:
        """How long the oldest alert has waited in this run; 0 if none waits."""
        query = "SELECT waits_since_ns FROM alert ORDER BY seq LIMIT 1"
        row = self._guard(lambda: self._db.execute(query).fetchone())
        return self._clock.monotonic_ns() - row[0] if row else 0

    def close(self) -> None:
        self._db.close()

    def _insert(self, drafts: Sequence[Draft]) -> None:
        now_ns = self._clock.monotonic_ns()
        for seq, draft in enumerate(drafts, self.seq_high + 1):
            self._db.execute("INSERT INTO alert VALUES (?, ?, ?, ?)", (seq, draft.topic, draft.body, now_ns))
            if draft.open:
                self._db.execute(
                    "INSERT OR REPLACE INTO open_alert VALUES (?, ?)", (draft.alert_id, draft.body)
                )
            else:
                self._db.execute("DELETE FROM open_alert WHERE alert_id = ?", (draft.alert_id,))

    def _due(self, now_ns: int, limit: int) -> list[Entry]:
        fresh = self._db.execute(
            "SELECT seq, topic, body, 0 FROM alert WHERE seq > ? ORDER BY seq LIMIT ?",
            (self._sent_high, limit),
        ).fetchall()
        again = self._db.execute(
            "SELECT seq, topic, body, attempts FROM attempt JOIN alert USING (seq)"
            " WHERE next_try_ns <= ? ORDER BY next_try_ns, seq LIMIT ?",
            (now_ns, limit - len(fresh)),
        ).fetchall()
        return [
            Entry(seq, topic, body, attempts, seq <= self._earlier_high)
            for seq, topic, body, attempts in fresh + again
        ]

    def _sent(self, seq: int, next_try_ns: int) -> None:
        self._db.execute(
            "INSERT INTO attempt VALUES (?, 1, ?) ON CONFLICT (seq)"
            " DO UPDATE SET attempts = attempts + 1, next_try_ns = excluded.next_try_ns",
            (seq, next_try_ns),
        )
        self._sent_high = max(seq, self._sent_high)

    def _guard(self, step: Callable[[], ResultT]) -> ResultT:
        """`step` with its errors made ours; with the ballast dropped where that makes the room it needs."""
        try:
            if self._damaged:
                self._reopen()
            return step()
        except (sqlite3.Error, OSError) as error:
            if _is_full(error) and self._ballast.drop():
                return self._guard(step)
            self._damaged = self._damaged or _is_damage(error)
            raise StorageError(f"the outbox {self._path} cannot be used: {error}") from error

    def _reopen(self) -> None:
        self._db.close()
        self._db = self._open()
        self._damaged = False

    def _open(self) -> sqlite3.Connection:
        try:
            db = self._connect_or_start_anew()
            self._ballast.restore()
            sync(self._path.parent)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"cannot open the outbox {self._path}: {error}; its folder must exist and be writable"
            ) from error
        self.pending = db.execute("SELECT count(*) FROM alert").fetchone()[0]
        self.seq_high = _highest_seq(db) or self._floor.value
        self._earlier_high = self.seq_high
        self._sent_high = 0
        return db

    def _connect_or_start_anew(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        self.set_aside = _move_aside(self._path)
        self._path.touch(mode=0o600)
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "wal_autocheckpoint=256"):
            db.execute(f"PRAGMA {pragma}")
        (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA max_page_count={self._max_bytes // page_bytes}")
        db.execute("PRAGMA temp_store=MEMORY")
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        db.executescript(_SCHEMA)
        db.execute("UPDATE alert SET waits_since_ns = ?", (self._clock.monotonic_ns(),))


def _highest_seq(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'alert'").fetchone()
    return row[0] if row else 0


def _is_damage(error: Exception) -> bool:
    """SQLite says `malformed` or `not a database` with the plain class, all else with its subclasses."""
    return type(error) is sqlite3.DatabaseError


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk is full" in str(error)


def _move_aside(path: Path) -> Path:
    """Rename the database; its WAL went into it at closing, or is dropped by SQLite beside an empty file."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return path.rename(aside)
