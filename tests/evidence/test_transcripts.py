from __future__ import annotations

import stat
from pathlib import Path

import pytest

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.evidence import Sentence, Transcripts

DAY_S = 86_400


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def transcripts(tmp_path: Path, clock: ManualClock) -> Transcripts:
    return Transcripts(tmp_path / "transcripts", clock, max_days=2)


def test_sentences_come_back_by_day_and_microphone(transcripts: Transcripts, clock: ManualClock) -> None:
    transcripts.keep("gate", clock.utc_ns(), "who is there")
    transcripts.keep("hall", clock.utc_ns(), "救命")
    assert list(transcripts.read(microphone="hall")) == [Sentence("hall", "2023-11-14T22:13:20.000Z", "救命")]
    assert [one.text for one in transcripts.read("2023-11-14")] == ["who is there", "救命"]
    assert list(transcripts.read("2023-11-15")) == []


def test_nobody_else_can_read_them(transcripts: Transcripts, clock: ManualClock, tmp_path: Path) -> None:
    transcripts.keep("gate", clock.utc_ns(), "who is there")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "transcripts").rglob("*")}
    assert modes == {0o700, 0o600}


def test_old_days_go(transcripts: Transcripts, clock: ManualClock) -> None:
    for _ in range(6):
        transcripts.keep("gate", clock.utc_ns(), "hello")
        transcripts.tidy()
        clock.advance(DAY_S)
    assert len(list(transcripts.read())) == 3


def test_old_days_go_though_nobody_speaks_any_more(transcripts: Transcripts, clock: ManualClock) -> None:
    transcripts.keep("gate", clock.utc_ns(), "hello")
    for _ in range(4):
        transcripts.tidy()
        clock.advance(DAY_S)
    transcripts.tidy()
    assert list(transcripts.read()) == []


def test_who_tidies_with_each_chunk_of_sound_looks_once_an_hour(clock: ManualClock, tmp_path: Path) -> None:
    looks: list[int] = []
    transcripts = Transcripts(tmp_path, clock, 3, lambda: looks.append(1) or clock.utc_ns())
    for _ in range(100):
        transcripts.tidy()
        clock.advance(0.1)
    assert len(looks) == 1
    clock.advance(3600)
    transcripts.tidy()
    assert len(looks) == 2


def test_a_torn_line_takes_no_other_with_it(
    transcripts: Transcripts, clock: ManualClock, tmp_path: Path
) -> None:
    transcripts.keep("gate", clock.utc_ns(), "before")
    path = tmp_path / "transcripts/2023-11-14/gate.jsonl"
    path.write_bytes(path.read_bytes() + b'{"at": "2023-11-14T22:1')
    transcripts.keep("gate", clock.utc_ns(), "after")
    assert [one.text for one in transcripts.read()] == ["before", "after"]


def test_they_can_be_deleted(transcripts: Transcripts, clock: ManualClock) -> None:
    transcripts.keep("gate", clock.utc_ns(), "one")
    transcripts.keep("hall", clock.utc_ns(), "two")
    assert transcripts.delete(microphone="gate") == 1
    assert [one.text for one in transcripts.read()] == ["two"]
    assert transcripts.delete() == 1
    assert list(transcripts.read()) == []


def test_a_disk_that_refuses_is_told(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "transcripts").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match="cannot keep transcripts in"):
        Transcripts(tmp_path / "transcripts", clock, 2).keep("gate", clock.utc_ns(), "hello")


def test_a_link_in_place_of_an_old_day_goes_and_what_it_leads_to_stays(
    transcripts: Transcripts, clock: ManualClock, tmp_path: Path
) -> None:
    transcripts.keep("gate", clock.utc_ns(), "hello")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "notes").write_text("mine")
    (tmp_path / "transcripts" / "2020-01-01").symlink_to(tmp_path / "elsewhere")
    clock.advance(9 * DAY_S)
    transcripts.tidy()
    assert list((tmp_path / "transcripts").iterdir()) == []
    assert (tmp_path / "elsewhere" / "notes").exists()
