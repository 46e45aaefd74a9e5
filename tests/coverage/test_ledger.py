from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.coverage import Book, Ledger, Record, What, read
from edgeguard.coverage.records import parse
from edgeguard.errors import StorageError
from tests.coverage.test_book import DAY_NS, UTC, S, back, beat, begin, lost, told


def write(ledger: Ledger, *records: Record) -> Book:
    """As the daemon does."""
    book = Book()
    for record in records:
        if record.what is What.BEGIN:
            ledger.begin(record)
        else:
            ledger.write(record, book.begin_again(record))
        book.take(record)
    return book


def test_what_was_written_is_read(tmp_path: Path) -> None:
    records = [begin(0, lost={"yard": ("connecting", 0)}), lost(10), beat(12), back(20)]
    write(Ledger(tmp_path / "coverage"), *records)
    assert list(read(tmp_path / "coverage")) == records


def test_nothing_was_written_yet(tmp_path: Path) -> None:
    assert list(read(tmp_path / "nowhere")) == []


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_torn_last_line_costs_itself_alone(tmp_path: Path, cut: int) -> None:
    write(Ledger(tmp_path), begin(0), lost(10), back(20), beat(30))
    path = next(tmp_path.glob("*.jsonl"))
    os.truncate(path, path.stat().st_size - cut)
    write(Ledger(tmp_path), begin(50, run="b"))
    book = Book(read(tmp_path))
    assert ("gate", "stalled", 10, 20) in told(book)
    assert [one for one in told(book) if one[1] == "restarted" and one[3] == 50]


def test_each_day_has_its_own_file_and_old_ones_are_given_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, keep_days=3)
    days = [beat(day * 86_400 + 60) for day in range(8)]
    write(ledger, begin(0), lost(10), *days)
    assert len(list(tmp_path.glob("*.jsonl"))) == 5  # the oldest one ends three days ago
    assert told(Book(read(tmp_path))) == [("gate", "stalled", 10, 7 * 86_400 + 60)]  # its beginning is kept


def test_the_folder_stays_bounded(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, max_bytes=2_000)
    write(ledger, begin(0), *(beat(day * 86_400) for day in range(1, 60)))
    assert sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) < 2_500


def test_a_clock_that_was_never_set_gives_up_nothing(tmp_path: Path) -> None:
    early = Record(What.BEGIN, 5 * S, 5 * S, run="a", boot="x", sources=("gate",))
    late = Record(What.BEGIN, UTC, 9 * S, run="b", boot="y", sources=("gate",))
    write(Ledger(tmp_path), early, late, Record(What.BEAT, UTC + DAY_NS, 9 * S + DAY_NS))
    assert len(list(tmp_path.glob("*.jsonl"))) == 3


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write to"):
        Ledger(tmp_path / "file").begin(begin(0))


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_line_is_a_record_or_none(line: str) -> None:
    found = parse(line)
    assert found is None or parse(found.line()) == found


@given(
    st.sampled_from([begin(1, lost={"gate": ("broken", 5)}), lost(3), back(4), beat(5)]), st.integers(0, 200)
)
def test_a_line_cut_anywhere_is_a_record_or_none(record: Record, length: int) -> None:
    line = record.line()
    assert parse(line[:length]) in (None, record)


def test_a_full_disk_does_not_get_a_file_with_each_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("edgeguard.coverage.ledger._append", refuse)
    for _ in range(3):
        with pytest.raises(StorageError, match="No space left"):
            Ledger(tmp_path).begin(begin(0))
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_a_clock_that_was_never_set_keeps_no_old_file_alive(tmp_path: Path) -> None:
    unset = Record(What.BEGIN, 5 * S, 5 * S, run="u", boot="u", sources=("gate",))
    ledger = Ledger(tmp_path, keep_days=3)
    write(ledger, begin(0))
    write(ledger, unset)
    write(ledger, begin(86_400, run="b"), *(beat(day * 86_400 + 60) for day in range(2, 8)))
    assert len(list(tmp_path.glob("*.jsonl"))) == 5  # as if the clock had been set at all times


@pytest.mark.parametrize("utc_ns", ["Infinity", "1e300", "-5"])
def test_a_time_that_no_clock_said_is_no_record(utc_ns: str) -> None:
    assert parse(f'{{"what":"beat","utc_ns":{utc_ns},"mono_ns":0}}') is None
