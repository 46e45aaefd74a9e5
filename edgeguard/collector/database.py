"""The door to SQLAlchemy's engines: a SQLite file or a PostgreSQL server, and transactions on them.

SQLite gets one connection, handed from thread to thread: two connections that write one WAL can damage it in
versions before 3.51.3. On PostgreSQL writers take turns (an advisory lock), so that rows of several devices
never deadlock and `revision.id` rises in the order of commits.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from edgeguard.collector.tables import VERSION, about, metadata
from edgeguard.errors import DependencyError, StorageError, how_to_install

_WRITERS_TURN = 4_930_518_201
"""Names our advisory lock among those of the database."""
_ANSWER_S = 30
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=OFF")
_SESSION = {
    "lock_timeout": "20s",
    "statement_timeout": "25s",
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""A collector that froze or lost its machine in a transaction must not keep the others from their turn, and
the server gives up before we do: what nobody waits for any more is not to be done."""
_BAD_VALUE = ("22", "23")
"""Classes of SQLSTATE: the data does not fit."""


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server and who we are there."""

    url: str
    """postgresql://USER@HOST:PORT/NAME, or with an empty host and ?host=/SOCKET/FOLDER."""
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    plaintext: bool = False
    """The server is this machine: no TLS."""


class Database:
    """Transactions for any thread; every one raises StorageError where the database refuses or is away."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.id = ""
        """The same for all collectors on this database; known once it was prepared."""

    def prepare(self) -> None:
        """Make the tables where there are none."""
        with self.writing() as connection:
            metadata.create_all(connection)
            known = dict(connection.execute(select(about.c.key, about.c.value)).all())
            if not known:
                known = {"version": VERSION, "id": uuid4().hex}
                rows = [{"key": key, "value": value} for key, value in known.items()]
                connection.execute(insert(about), rows)
        if known["version"] != VERSION:
            raise StorageError(
                f"{self._name} has layout {known['version']}, this EdgeGuard needs {VERSION}: use the "
                "version of EdgeGuard that made it, or a new database"
            )
        self.id = known["id"]

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of the one writer; committed, and on the disk, when the block ends."""
        with self._guard(), self._engine.connect() as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS_TURN})"))
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only looks."""
        with self._guard(), self._engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, DisconnectionError, PoolTimeout, OSError) as error:
            raise _refusal(self._name, error) from error


class BadValueError(StorageError):
    """The database is well, but does not take what it was given."""


def open_sqlite(path: Path, *, read_only: bool = False) -> Database:
    """The file `path`, made if there is none; nothing is touched before the first transaction."""
    mode = "ro" if read_only else "rwc"
    if not read_only:
        _make_private(path)
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": mode, "uri": "true"})
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_up_reader if read_only else _set_up)
    event.listen(engine, "begin", _begin_reading if read_only else _begin)
    return Database(engine, f"the collector's database {path}")


def open_server(server: Server) -> Database:
    """A PostgreSQL server. Raises DependencyError where pg8000 is not installed."""
    url = make_url(server.url)
    folder = url.query.get("host")
    arguments: dict[str, Any] = {"timeout": _ANSWER_S, "application_name": "edgeguard"}
    arguments["password"] = server.password or ""  # pg8000 cannot be asked for one without
    if folder:
        arguments["unix_sock"] = f"{folder}/.s.PGSQL.{url.port or 5432}"
    elif not server.plaintext:
        arguments["ssl_context"] = ssl.create_default_context(cafile=server.ca_file)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # our error says the same, once
    full = url.set(drivername="postgresql+pg8000", query={})
    try:
        engine = create_engine(full, pool_pre_ping=True, pool_size=5, connect_args=arguments)
    except ImportError as error:
        raise DependencyError(f"PostgreSQL needs pg8000: {how_to_install('pg8000>=1.31')}") from error
    event.listen(engine, "connect", _set_up_session)
    return Database(engine, f"the collector's database {url.render_as_string()}")


def _make_private(path: Path) -> None:
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise StorageError(f"cannot write the collector's database {path}: {error.strerror}") from error


def _set_up(connection: Any, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _set_up_reader(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout=5000")


def _set_up_session(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for name, value in _SESSION.items():
        cursor.execute(f"SET {name} = '{value}'")
    connection.commit()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _refusal(name: str, error: Exception) -> StorageError:
    reason = str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
    kind: Callable[[str], StorageError] = BadValueError if _is_bad_value(error) else StorageError
    return kind(f"cannot use {name}: {reason}")


def _is_bad_value(error: Exception) -> bool:
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    details = error.orig.args[0] if error.orig and error.orig.args else None
    if isinstance(details, dict):
        return str(details.get("C", ""))[:2] in _BAD_VALUE
    return type(error).__name__ in ("DataError", "IntegrityError")
