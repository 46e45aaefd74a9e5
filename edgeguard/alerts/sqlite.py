"""Connections to SQLite, and what its errors mean."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from edgeguard.errors import StorageError


def connect_to_new(path: Path) -> sqlite3.Connection:
    """A connection to a file that is thrown away unless all that is to be in it was written and synced."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "temp_store=MEMORY"):
        db.execute(f"PRAGMA {pragma}").fetchone()
    return db


def connect_to_damaged(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; what it is asked for may raise sqlite3.Error."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def open_to_read(path: Path) -> sqlite3.Connection:
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


def size_of(db: sqlite3.Connection) -> int:
    """How many bytes a database takes."""
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    return int(pages * page_bytes)


def says_full(error: Exception) -> bool:
    """There is no room, in so many words."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, sqlite3.Error) and "disk is full" in str(error)


def is_io(error: Exception) -> bool:
    """Something could not be read or written; SQLite does not say why."""
    return isinstance(error, sqlite3.OperationalError) and "disk I/O error" in str(error)
