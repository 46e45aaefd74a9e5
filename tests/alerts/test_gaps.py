from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts import gaps
from edgeguard.alerts.exchange import Unavailable


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = new()
    yield connection
    connection.close()


def new() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(gaps.SCHEMA + "CREATE TABLE place (seq INTEGER PRIMARY KEY);")
    return connection


def ranges(db: sqlite3.Connection) -> list[tuple[int, int, str]]:
    return db.execute("SELECT * FROM gap ORDER BY from_seq").fetchall()


def test_neighbours_of_the_same_reason_grow_together(db: sqlite3.Connection) -> None:
    for seq in (5, 7, 6, 9):
        gaps.add(db, seq, seq, gaps.SHED)
    gaps.add(db, 8, 8, gaps.RENUMBERED)
    assert ranges(db) == [(5, 7, "shed"), (8, 8, "renumbered"), (9, 9, "shed")]


def test_too_many_ranges_become_one_below_everything_that_is_kept(db: sqlite3.Connection) -> None:
    for seq in range(1, 41, 2):
        gaps.add(db, seq, seq, gaps.SHED)
    db.execute("INSERT INTO place VALUES (20), (30)")
    gaps.bound(db, most=20)
    assert len(ranges(db)) == 20
    gaps.bound(db, most=10)
    assert ranges(db) == [(1, 19, "shed"), (21, 29, "shed"), (31, 39, "shed")]


def test_many_ranges_make_another_one_no_dearer(db: sqlite3.Connection) -> None:
    for seq in range(1, 20_001, 2):
        gaps.add(db, seq, seq, gaps.SHED)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(count, 100)
    gaps.add(db, 20_003, 20_003, gaps.SHED)
    assert steps < 20


def test_each_number_that_does_not_come_has_its_reason(db: sqlite3.Connection) -> None:
    gaps.add(db, 1, 4, gaps.RENUMBERED)
    gaps.add(db, 7, 8, gaps.SHED)
    assert gaps.explain(db, 3, 14, [5, 9], highest=11) == [
        Unavailable(3, 4, "renumbered"),
        Unavailable(6, 6, "expired"),
        Unavailable(7, 8, "shed"),
        Unavailable(10, 11, "expired"),
        Unavailable(12, 14, "unassigned"),
    ]


REASONS = st.sampled_from([gaps.SHED, gaps.RENUMBERED, None, "kept"])


@given(st.lists(REASONS, max_size=30), st.integers(1, 35), st.integers(1, 35))
def test_the_explanation_is_that_of_each_number_alone(
    said: list[str | None], from_seq: int, to_seq: int
) -> None:
    db = new()
    for seq, reason in enumerate(said, 1):
        if reason in (gaps.SHED, gaps.RENUMBERED):
            gaps.add(db, seq, seq, reason)
    kept = [seq for seq, reason in enumerate(said, 1) if reason == "kept" and from_seq <= seq <= to_seq]
    explained = {
        seq: piece.reason
        for piece in gaps.explain(db, from_seq, to_seq, kept, highest=len(said))
        for seq in range(piece.from_seq, piece.to_seq + 1)
    }
    known = dict(enumerate(said, 1))
    assert explained == {
        seq: "unassigned" if seq > len(said) else known[seq] or "expired"
        for seq in range(from_seq, to_seq + 1)
        if known.get(seq) != "kept"
    }
    db.close()
