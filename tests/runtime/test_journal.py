from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.journal import Journal, from_line, read, to_line
from edgeguard.types import Joined, Measure, Observation, Phase, Stages
from tests.support.alerts import seen

words = st.text(max_size=20)
names = st.none() | words
times = st.integers(0, 2**62)
shares = st.floats(0, 1)
values = words | st.floats(allow_nan=False, allow_infinity=False)
measures = st.builds(Measure, words, values, words, st.none() | values)
joined = st.builds(Joined, words, words, times, shares, track_ids=st.lists(times, max_size=2).map(tuple))
observations = st.builds(
    Observation,
    kind=words,
    source=words,
    pts_ns=times,
    utc_ns=times,
    confidence=shares,
    phase=st.sampled_from(Phase),
    rule=names,
    key=words,
    zone=names,
    track_ids=st.lists(times, max_size=4).map(tuple),
    label=names,
    text=names,
    measures=st.lists(measures, max_size=3).map(tuple),
    joined=st.lists(joined, max_size=2).map(tuple),
    sequence=st.none() | times,
    media_ns=st.none() | times,
    stages=st.builds(Stages, *[st.none() | times] * 4),
)


@given(observations)
def test_a_line_gives_back_the_observation(observation: Observation) -> None:
    line = to_line(observation)
    assert "\n" not in line
    assert from_line(line) == observation


@given(st.lists(observations, max_size=4))
def test_a_journal_gives_them_back_in_order(written: list[Observation]) -> None:
    text = "".join(f"{to_line(observation)}\n\n" for observation in written)
    assert list(read(text.split("\n"))) == written


@given(st.text() | st.recursive(st.none() | st.integers() | words, st.lists).map(json.dumps))
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(StorageError, match="not an observation"):
        from_line(text)


@pytest.mark.parametrize("spoil", ['"phase":"instant"', '"kind":', '"stages":'])
def test_a_line_with_something_wrong_in_it_is_refused(spoil: str) -> None:
    line = to_line(seen())
    assert spoil in line
    with pytest.raises(StorageError):
        from_line(line.replace(spoil, '"phase":"later","unheard_of":'))


@pytest.mark.parametrize("value", ["null", "1e400", '"x"', "1.5"])
def test_a_time_that_is_none_is_refused(value: str) -> None:
    line = to_line(seen())
    with pytest.raises(StorageError, match="not an observation"):
        from_line(line.replace(f'"utc_ns":{seen().utc_ns}', f'"utc_ns":{value}'))


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(StorageError, match="not an observation"):
        from_line("[" * 100_000)


@pytest.fixture
def part() -> Part:
    return HealthBoard(ManualClock()).part("journal")


DAY_NS = 86_400_000_000_000


def on(day: int) -> Observation:
    return replace(seen(), utc_ns=1_700_000_000_000_000_000 + day * DAY_NS)


def test_each_day_has_its_file_and_the_old_ones_go(tmp_path: Path, part: Part) -> None:
    journal = Journal(tmp_path / "observations", part, max_days=2)
    for day in (0, 0, 1, 5, 6):
        journal.write(on(day))
    files = {path.name: len(list(read(path.open()))) for path in (tmp_path / "observations").iterdir()}
    assert files == {"2023-11-19.jsonl": 1, "2023-11-20.jsonl": 1}


def test_the_oldest_day_gives_way_to_bytes_and_today_ends_at_them(tmp_path: Path, part: Part) -> None:
    line_bytes = len(to_line(on(0))) + 1
    journal = Journal(tmp_path, part, max_bytes=5 * line_bytes)
    for day in (0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2):
        journal.write(on(day))
    sizes = {path.name: len(path.read_text().splitlines()) for path in tmp_path.iterdir()}
    assert sizes == {"2023-11-16.jsonl": 5}
    assert part.report()["beyond_max_bytes"] == 1


def test_sentences_are_left_out(tmp_path: Path, part: Part) -> None:
    Journal(tmp_path, part).write(replace(on(0), kind="utterance", text="who is there"))
    assert [seen.text for seen in read((tmp_path / "2023-11-14.jsonl").open())] == [None]


def test_it_goes_on_in_the_file_of_the_run_before(tmp_path: Path, part: Part) -> None:
    for _ in range(2):
        Journal(tmp_path, part).write(on(0))
    assert len(list(read((tmp_path / "2023-11-14.jsonl").open()))) == 2


def test_a_journal_without_a_line_is_fine(tmp_path: Path, part: Part) -> None:
    Journal(tmp_path / "observations", part)
    assert part.state is State.OK


def test_a_disk_that_refuses_is_health_and_no_exception(tmp_path: Path, part: Part) -> None:
    folder = tmp_path / "state"
    journal = Journal(folder / "observations", part)
    journal.write(seen())
    assert part.state is State.DEGRADED
    assert "observations" in (part.reason or "")
    folder.mkdir()
    journal.write(seen())
    assert part.state is State.OK
