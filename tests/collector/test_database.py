from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from edgeguard.collector import database as database_module
from edgeguard.collector.database import Database, Server, open_server, open_sqlite
from edgeguard.collector.tables import about
from edgeguard.errors import StorageError
from tests.support.centre import rows
from tests.support.postgresql import PASSWORD, Postgresql


def test_all_collectors_on_one_database_know_that(database: Database) -> None:
    first = database.id
    database.prepare()
    assert database.id == first
    assert len(first) == 32


def test_a_database_of_another_layout_is_refused(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(about.update().where(about.c.key == "version").values(value="9"))
    with pytest.raises(StorageError, match="has layout 9, this EdgeGuard needs 1"):
        database.prepare()


def test_what_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(StorageError), database.writing() as connection:
        connection.execute(about.insert().values(key="a", value="b"))
        connection.execute(about.insert().values(key="a", value="b"))
    assert "a" not in [key for key, _ in rows(database, about, "key", "value")]


def test_a_sqlite_file_is_ours_alone_and_survives_a_power_cut(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "collector.db")
    database.prepare()
    assert (tmp_path / "collector.db").stat().st_mode & 0o777 == 0o600
    with database.reading() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "synchronous")
        ]
    assert pragmas == ["wal", 2]
    database.close()


def test_a_reader_cannot_write_and_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "collector.db"
    with pytest.raises(StorageError), open_sqlite(path, read_only=True).reading():
        pass
    assert not path.exists()
    writer = open_sqlite(path)
    writer.prepare()
    reader = open_sqlite(path, read_only=True)
    assert len(rows(reader, about, "key")) == 2
    with pytest.raises(StorageError, match="readonly"), reader.writing() as connection:
        connection.execute(about.insert().values(key="a", value="b"))
    reader.close()
    writer.close()


def test_what_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "collector.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match="file is not a database"):
        open_sqlite(tmp_path / "collector.db").prepare()
    with pytest.raises(StorageError, match="cannot write"):
        open_sqlite(tmp_path / "nowhere" / "collector.db")


def test_a_damaged_page_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "collector.db"
    database = open_sqlite(path)
    database.prepare()
    database.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 8)
    with pytest.raises(StorageError, match="cannot use the collector's database"):
        open_sqlite(path).prepare()


@pytest.fixture
def server(postgresql: Postgresql) -> Server:
    return Server(postgresql.url(), PASSWORD, plaintext=True)


def test_a_server_elsewhere_must_prove_who_it_is(server: Server, postgresql: Postgresql) -> None:
    known = replace(server, plaintext=False, ca_file=postgresql.certificate)
    database = open_server(known)
    with database.reading() as connection:
        tls = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.exec_driver_sql(tls).scalar() is True
    database.close()
    with (
        pytest.raises(StorageError, match="certificate verify failed"),
        open_server(replace(known, ca_file=None)).reading(),
    ):
        pass


def test_a_socket_will_do_on_the_same_machine(server: Server, postgresql: Postgresql) -> None:
    url = f"postgresql://edgeguard@:{postgresql.port}/postgres?host={postgresql.socket_folder}"
    database = open_server(replace(server, url=url, plaintext=False))
    with database.reading() as connection:
        assert connection.execute(select(1)).scalar() == 1
    database.close()


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_password_is_said_and_not_shown(server: Server, password: str | None) -> None:
    with pytest.raises(StorageError) as caught, open_server(replace(server, password=password)).reading():
        pass
    assert "password" in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in repr(server)


def test_sqlite_knows_what_we_ask_of_it() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35), "RETURNING"


@pytest.mark.parametrize("folder", ["a#b", "a?b", "a%41b"])
def test_a_sqlite_file_is_where_it_was_said_to_be(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "collector.db"
    path.parent.mkdir()
    database = open_sqlite(path)
    database.prepare()
    database.close()
    assert path.stat().st_size > 0
    assert len(rows(open_sqlite(path, read_only=True), about, "key")) == 2


def test_a_collector_that_froze_does_not_keep_the_others_from_their_turn(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database_module._SESSION, "idle_in_transaction_session_timeout", "500ms")
    frozen, other = open_server(server), open_server(server)
    with pytest.raises(StorageError), frozen.writing() as connection:
        with other.writing():
            pass
        connection.execute(select(about.c.key))
    with frozen.writing() as connection:
        assert connection.execute(select(1)).scalar() == 1
