from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.collector.database import Database, Server, open_server, open_sqlite
from tests.support.postgresql import PASSWORD, Postgresql

_names = (f"test{number}" for number in itertools.count(1))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    server = Postgresql()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind that the collector knows."""
    if request.param == "sqlite":
        made = open_sqlite(tmp_path / "collector.db")
    else:
        url = request.getfixturevalue("postgresql").create(next(_names))
        made = open_server(Server(url, PASSWORD, plaintext=True))
    made.prepare()
    yield made
    made.close()
