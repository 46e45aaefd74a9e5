"""The outbox's file: opened, checked, used in transactions, set aside where it is damaged.

One connection, used by one thread: two connections writing one WAL can corrupt it in SQLite before 3.51.3.
This is the only door to SQLite's writing side in the room; its errors leave as StorageError.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edgeguard.alerts.reserve import Ballast
from edgeguard.errors import DiskFullError, StorageError
from edgeguard.files import sync

Database = sqlite3.Connection
ResultT = TypeVar("ResultT")

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "wal_autocheckpoint=1000",
    "temp_store=MEMORY",
)


class OutboxFile:
    """`path` and its ballast. `opened(db)` is called in a transaction at every opening.

    The constructor and `transaction` raise StorageError; DiskFullError where room would help. A file that
    turns out to be damaged, or that somebody removed, is replaced at the next transaction.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        opened: Callable[[Database], object],
        max_bytes: int,
        ballast_bytes: int,
    ) -> None:
        self.path = path
        self.set_aside: list[Path] = []
        """The damaged files that this one replaces, in this run."""
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
        self._ballast.restore()

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

    def _guard(self, step: Callable[[], ResultT]) -> ResultT:
        """`step` with its errors made ours; with the ballast dropped where that makes the room it needs."""
        try:
            if self._damaged or self._removed():
                self._reopen()
            return step()
        except (sqlite3.Error, OSError) as error:
            if is_full(error):
                if self._ballast.drop():
                    return self._guard(step)
                raise DiskFullError(f"the outbox {self.path} has no room: {error}") from error
            self._damaged = self._damaged or is_damage(error)
            raise StorageError(f"the outbox {self.path} cannot be used: {error}") from error

    def _removed(self) -> bool:
        """Whether the name leads to another file, or nowhere: what is written now would vanish."""
        try:
            return self.path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _reopen(self) -> None:
        self._db.close()
        self._db = self._open()
        self._damaged = False

    def _open(self) -> Database:
        try:
            db = self._connect_or_start_anew()
            self._inode = self.path.stat().st_ino
            self._ballast.restore()
            sync(self.path.parent)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"cannot open the outbox {self.path}: {error}; its folder must exist and be writable"
            ) from error
        return db

    def _connect_or_start_anew(self) -> Database:
        self.path.touch(mode=0o600)
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        self.set_aside.append(_move_aside(self.path))
        self.path.touch(mode=0o600)
        return self._connect()

    def _connect(self) -> Database:
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            self._prepare(db)
            with db:
                db.execute("BEGIN IMMEDIATE")
                self._opened(db)
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


def is_damage(error: Exception) -> bool:
    """SQLite says `malformed` or `not a database` with the plain class, all else with its subclasses."""
    return type(error) is sqlite3.DatabaseError


def is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk is full" in str(error)


def _move_aside(path: Path) -> Path:
    """Rename the database; its WAL went into it at closing, or is dropped by SQLite beside an empty file."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        leftover = path.with_name(path.name + suffix)
        if leftover.exists():
            leftover.replace(aside.with_name(aside.name + suffix))
    return aside
