"""The outbox's file: opened, checked, used in transactions, replaced where it is damaged or gone.

One connection, used by one thread: two connections writing one WAL can corrupt it in SQLite before 3.51.3.
SQLite's errors leave as StorageError.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from edgeguard.alerts.reserve import Ballast
from edgeguard.alerts.sqlite import connect_to_damaged, connect_to_new, is_io, says_full, size_of
from edgeguard.alerts.successor import Successor
from edgeguard.errors import DiskFullError, StorageError
from edgeguard.files import sync

Database = sqlite3.Connection
DatabaseFault = sqlite3.Error
ResultT = TypeVar("ResultT")
_FAULTS = (sqlite3.Error, OSError, UnicodeDecodeError)
"""The last where SQLite's own words for a fault hold what is damaged."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "wal_autocheckpoint=1000",
    "temp_store=MEMORY",
)
_SHM_BYTES = 1 << 17
_DAMAGED = ("no such column", "unsupported file format")
_ROOM_BYTES = 1 << 20
"""With so much free, an input/output error is not for want of room."""


_CHECKED_BYTES = 256 << 20
"""A larger file is not read as a whole at the start: that could outlast the watchdog's patience."""


class Opened(Protocol):
    """Called in a transaction at every opening."""

    def __call__(self, db: Database, fresh: bool) -> object:
        """`fresh`: the file is new, and replaces none."""


class TakeOver(Protocol):
    """Called in a transaction where a file replaces another one."""

    def __call__(self, db: Database, lost: Database, room_bytes: int) -> object:
        """Put into `db`, which is new, what can still be read of `lost`.

        Raises DiskFullError where `room_bytes` are too few.
        """


class OutboxFile:
    """`path` and its ballast.

    The constructor and `transaction` raise StorageError; DiskFullError where room would help. A file that
    turns out to be damaged, or that somebody removed, is replaced at the next transaction.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        opened: Opened,
        take_over: TakeOver,
        max_bytes: int,
        ballast_bytes: int,
    ) -> None:
        self.path = path
        self.set_aside: list[Path] = []
        """The damaged files that this one replaces, in this run."""
        self.replaced: list[str] = []
        """Why earlier files had to be replaced, in this run."""
        self._schema = schema
        self._opened = opened
        self._take_over = take_over
        self._max_bytes = max_bytes
        self._ballast = Ballast(path.with_name(path.name + ".ballast"), ballast_bytes)
        self._successor = Successor(path)
        self._capped = False
        """The file may not grow, since the disk is full."""
        self._damaged = False
        self._inode = 0
        self._db = self._open()

    @property
    def ballast_used(self) -> bool:
        """The disk was full and the reserve was given up."""
        return not self._ballast.in_place

    def transaction(self, step: Callable[[Database], ResultT], *, durable: bool = True) -> ResultT:
        """`step(db)` whole or not at all; on the disk when this returns, unless it need not be `durable`.

        `step` may run twice: once more after the ballast was dropped.
        """
        return self._guard(lambda: self._transact(step, durable))

    def read(self, step: Callable[[Database], ResultT]) -> ResultT:
        """`step(db)` outside a transaction, for one query."""
        return self._guard(lambda: step(self._db))

    def restore_ballast(self) -> None:
        """Take the reserve again, if there is plenty of room."""
        self._ballast.restore()
        if self._capped and not self.ballast_used:
            self._guard(lambda: self._allow_growth(self._db))

    def close(self) -> None:
        self._db.close()

    def _transact(self, step: Callable[[Database], ResultT], durable: bool) -> ResultT:
        if durable:
            return self._run(step)
        self._db.execute("PRAGMA synchronous=NORMAL")
        try:
            return self._run(step)
        finally:
            self._db.execute("PRAGMA synchronous=FULL")

    def _run(self, step: Callable[[Database], ResultT]) -> ResultT:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            return step(self._db)

    def _guard(self, step: Callable[[], ResultT], reliefs: int = 2) -> ResultT:
        """`step` with its errors made ours; done once more after each way in which room could be made."""
        try:
            if self._damaged or self._removed():
                self._reopen()
            return step()
        except _FAULTS as error:
            if self._is_full(error):
                if reliefs == 2 and self._write_back():
                    return self._guard(step, reliefs=1)
                if reliefs and self._make_room():
                    return self._guard(step, reliefs=0)
                raise DiskFullError(f"the outbox {self.path} has no room: {error}") from error
            self._damaged = self._damaged or self._is_damage(error)
            raise StorageError(f"the outbox {self.path} cannot be used: {error}") from error

    def _write_back(self) -> bool:
        """Bring the WAL into the database, so that it need not grow; False if it was empty or that failed."""
        try:
            busy, frames, _ = self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        except sqlite3.Error:
            return False
        return not busy and frames > 0

    def _make_room(self) -> bool:
        """Drop the ballast, or take of what has become free since then."""
        if room := self._ballast.drop() or (self._capped and self._ballast.would_fit):
            self._claim(self._db)
        return room

    def _claim(self, db: Database) -> None:
        """Take a quarter of the ballast's room into the file before others fill it, and let it not grow then.

        All that is stored from now on finds its place in the file, and on its way in the WAL as it is now.
        """
        self._allow_growth(db)
        with contextlib.suppress(sqlite3.Error):
            db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            db.execute(f"CREATE TABLE claim AS SELECT zeroblob({self._ballast.size_bytes // 4}) AS room")
            db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        with contextlib.suppress(sqlite3.Error):
            db.execute("DROP TABLE IF EXISTS claim")
        db.execute("PRAGMA max_page_count=1").fetchone()  # what it is now, since it cannot be less
        self._capped = True

    def _allow_growth(self, db: Database) -> None:
        (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA max_page_count={self._max_bytes // page_bytes}").fetchone()
        self._capped = False

    def _removed(self) -> bool:
        """Whether the name leads to another file, or nowhere: what is written now would vanish."""
        try:
            return self.path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _reopen(self) -> None:
        if self._removed():
            self._rescue(self._db, f"the outbox {self.path} was removed while it was in use")
        self._db.close()
        self._db = self._open()
        self._damaged = False

    def _open(self) -> Database:
        try:
            return self._open_with_relief()
        except _FAULTS as error:
            if self._is_full(error):
                raise DiskFullError(f"cannot open the outbox {self.path}: the disk is full") from error
            raise StorageError(
                f"cannot open the outbox {self.path}: {error}; its folder must exist and be writable"
            ) from error

    def _open_with_relief(self) -> Database:
        """Even opening takes some room; where there never was any for the ballast, no more than that."""
        dropped = False
        try:
            db = self._connect_or_rescue()
        except _FAULTS as error:
            if not (dropped := self._is_full(error) and self._ballast.drop()):
                raise
            db = self._connect_or_rescue()
        self._inode = self.path.stat().st_ino
        self._ballast.restore()
        if not self.ballast_used:
            self._widen_wal()
        sync(self.path.parent)
        if dropped:
            self._claim(db)
        return db

    def _widen_wal(self) -> None:
        """Take room for the WAL now: it never shrinks in a run, and even deleting has to go through it."""
        with contextlib.suppress(OSError):
            wal = os.open(self.path.with_name(self.path.name + "-wal"), os.O_RDWR)
            try:
                os.posix_fallocate(wal, 0, max(1, self._ballast.size_bytes // 4))
            finally:
                os.close(wal)

    def _connect_or_rescue(self) -> Database:
        if self._successor.waits:
            self._succeed("the outbox was damaged, and its rescue was cut short")
        self.path.touch(mode=0o600)
        try:
            return self._connect()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if not self._is_damage(error):
                raise
            fault = error
        with contextlib.closing(connect_to_damaged(self.path)) as damaged:
            self._rescue(damaged, f"the outbox was damaged ({fault})")
        return self._connect()

    def _rescue(self, lost: Database, reason: str) -> None:
        """Make a file of what `lost` still holds; until it is whole, nothing of the old one is touched."""
        room_bytes = self._room_beside(lost)
        with contextlib.closing(connect_to_new(self._successor.begin())) as db:
            db.executescript(self._schema)
            with db:
                db.execute("BEGIN IMMEDIATE")
                self._take_over(db, lost, room_bytes)
                db.execute("PRAGMA user_version=1")
        self._successor.finish()
        self._succeed(reason)

    def _room_beside(self, lost: Database) -> int:
        """How much a second file may take; the ballast is dropped if the disk would be full with it."""
        try:
            size_bytes = size_of(lost)
        except (sqlite3.Error, UnicodeDecodeError):
            size_bytes = self.path.stat().st_size
        for_work = self._ballast.size_bytes // 4 + _SHM_BYTES
        self._ballast.drop(2 * size_bytes + for_work)
        return self._ballast.free_bytes - for_work

    def _succeed(self, reason: str) -> None:
        aside = self._successor.succeed()
        if aside is not None:
            self.set_aside.append(aside)
            reason += f"; it was set aside as {aside}"
        self.replaced.append(reason)

    def _connect(self) -> Database:
        db = sqlite3.connect(self.path, isolation_level=None)
        db.text_factory = _readable
        try:
            self._prepare(db)
            with db:
                db.execute("BEGIN IMMEDIATE")
                (version,) = db.execute("PRAGMA user_version").fetchone()
                self._opened(db, version == 0)
                db.execute("PRAGMA user_version=1")
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: Database) -> None:
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}").fetchone()
        self._allow_growth(db)
        if self.path.stat().st_size <= _CHECKED_BYTES:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
        db.executescript(self._schema + "DROP TABLE IF EXISTS claim;")

    def _is_full(self, error: Exception) -> bool:
        return says_full(error) or (is_io(error) and self._ballast.free_bytes < _ROOM_BYTES)

    def _is_damage(self, error: Exception) -> bool:
        """SQLite says `malformed` or `not a database` with the plain class, all else with its subclasses,
        also what comes of damage to the words that describe a table or to the file's own header.
        What it cannot read or write although there is room is as good as damaged.
        """
        if is_io(error):
            return self._ballast.free_bytes >= _ROOM_BYTES
        words = str(error)
        if "readonly database" in words:
            return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        return type(error) in (sqlite3.DatabaseError, UnicodeDecodeError) or any(w in words for w in _DAMAGED)


def _readable(text: bytes) -> str:  # damage in one topic must not keep all others from being sent
    return text.decode("utf-8", "replace")
