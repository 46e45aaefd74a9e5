"""What the tools read of a collector that they kill."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from _centre import CollectorProgram


def test_a_collector_without_a_database_has_nothing(tmp_path: Path) -> None:
    collector = CollectorProgram(tmp_path, 1)
    assert (collector.unexplained(3), list(collector.alerts())) == (3, [])
    path = tmp_path / "centre" / "collector.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE about (key)")
        assert (collector.unexplained(3), list(collector.alerts())) == (3, [])
        database.execute("CREATE TABLE seen (seq)")
        database.execute("INSERT INTO seen VALUES (1)")
        database.commit()
        assert collector.unexplained(3) == 2


def test_any_other_trouble_is_told(tmp_path: Path) -> None:
    collector = CollectorProgram(tmp_path, 1)
    path = tmp_path / "centre" / "collector.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE seen (other)")
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        collector.unexplained(3)
