"""The outbox's file: opened, checked, used in transactions, replaced where it is damaged or gone.

One connection, used by one thread: two connections writing one WAL can corrupt it in SQLite before 3.51.3.
This is the room's only door to SQLite; its errors leave as StorageError.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from edgeguard.alerts.reserve import Ballast
from edgeguard.errors import DiskFullError, StorageError
from edgeguard.files import sync

Database = sqlite3.Connection
DatabaseFault = sqlite3.Error
ResultT = TypeVar("ResultT")

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "wal_autocheckpoint=1000",
    "temp_store=MEMORY",
)
_ROOM_BYTES = 1 << 20
"""With so much free, an input/output error is not for want of room."""


class Opened(Protocol):
    """Called in a transaction at every opening."""

    def __call__(self, db: Database, fresh: bool, lost: Database | None) -> object:
        """`fresh`: the file is new. `lost`: what it replaces, as far as that can still be read."""


class OutboxFile:
    """`path` and its ballast.

    The constructor and `transaction` raise StorageError; DiskFullError where room would help. A file that
    turns out to be damaged, or that somebody removed, is replaced at the next transaction.
    """

    def __init__(self, path: Path, schema: str, opened: Opened, max_bytes: int, ballast_bytes: int) -> None:
        self.path = path
        self.set_aside: list[Path] = []
        """The damaged files that this one replaces, in this run."""
        self.replaced: list[str] = []
        """Why earlier files had to be replaced, in this run."""
        self._schema = schema
        self._opened = opened
        self._max_bytes = max_bytes
        self._ballast = Ballast(path.with_name(path.name + ".ballast"), ballast_bytes)
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
        missing = self.ballast_used
        self._ballast.restore()
        if missing and not self.ballast_used:
            self._guard(self._allow_growth)

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
        except (sqlite3.Error, OSError) as error:
            if _is_full(error):
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
        """Drop the ballast; a quarter of its room is for messages, since even deleting some takes room."""
        if not self._ballast.drop():
            return False
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (page_bytes,) = self._db.execute("PRAGMA page_size").fetchone()
        room = self._ballast.size_bytes // 4
        self._db.execute(f"PRAGMA max_page_count={pages + room // page_bytes}")
        return True

    def _allow_growth(self) -> None:
        (page_bytes,) = self._db.execute("PRAGMA page_size").fetchone()
        self._db.execute(f"PRAGMA max_page_count={self._max_bytes // page_bytes}")

    def _removed(self) -> bool:
        """Whether the name leads to another file, or nowhere: what is written now would vanish."""
        try:
            return self.path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _reopen(self) -> None:
        if not self._removed():
            self._db.close()
            self._db = self._open()
        else:
            _move_aside(self.path)
            self.replaced.append(f"the outbox {self.path} was removed while it was in use")
            lost, self._db = self._db, self._open(self._db)
            lost.close()
        self._damaged = False

    def _open(self, lost: Database | None = None) -> Database:
        try:
            db = self._connect_or_start_anew(lost)
            self._inode = self.path.stat().st_ino
            self._ballast.restore()
            sync(self.path.parent)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"cannot open the outbox {self.path}: {error}; its folder must exist and be writable"
            ) from error
        return db

    def _connect_or_start_anew(self, lost: Database | None) -> Database:
        self.path.touch(mode=0o600)
        try:
            return self._connect(lost)
        except sqlite3.Error as error:
            if not self._is_damage(error):
                raise
            fault = error
        aside = _move_aside(self.path)
        self.set_aside.append(aside)
        self.replaced.append(f"the outbox was damaged ({fault}); it was set aside as {aside}")
        self.path.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(f"file:{aside}?mode=ro", uri=True)) as damaged:
            return self._connect(damaged)

    def _connect(self, lost: Database | None) -> Database:
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            self._prepare(db)
            with db:
                db.execute("BEGIN IMMEDIATE")
                (version,) = db.execute("PRAGMA user_version").fetchone()
                self._opened(db, version == 0, lost)
                db.execute("PRAGMA user_version=1")
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: Database) -> None:
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA max_page_count={self._max_bytes // page_bytes}")
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        db.executescript(self._schema)

    def _is_damage(self, error: Exception) -> bool:
        """SQLite says `malformed` or `not a database` with the plain class, all else with its subclasses.

        What it cannot read or write although there is room is as good as damaged.
        """
        if isinstance(error, sqlite3.OperationalError) and "disk I/O error" in str(error):
            room = os.statvfs(self.path.parent)
            return room.f_bavail * room.f_frsize > _ROOM_BYTES
        return type(error) is sqlite3.DatabaseError


def open_to_read(path: Path) -> Database:
    """A connection that changes nothing, also to the file of a daemon that runs. Raises StorageError."""
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        try:
            db = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            fault = error
            if path.with_name(path.name + "-wal").exists():
                break
        else:
            return db
    raise StorageError(f"cannot read {path}: {fault}") from fault


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk is full" in str(error)


def _move_aside(path: Path) -> Path:
    """Give what there is of the database another name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    return aside
