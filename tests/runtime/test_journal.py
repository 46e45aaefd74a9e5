from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.journal import Journal, from_line, read, to_line
from edgeguard.types import Measure, Observation, Phase, Stages
from tests.support.alerts import seen

words = st.text(max_size=20)
names = st.none() | words
times = st.integers(0, 2**62)
shares = st.floats(0, 1)
values = words | st.floats(allow_nan=False, allow_infinity=False)
measures = st.builds(Measure, words, values, words, st.none() | values)
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


@pytest.fixture
def part() -> Part:
    return HealthBoard(ManualClock()).part("journal")


def test_a_full_file_is_turned_over_once(tmp_path: Path, part: Part) -> None:
    line_bytes = len(to_line(seen())) + 1
    journal = Journal(tmp_path / "observations.jsonl", part, max_bytes=3 * line_bytes - 1)
    for _ in range(8):
        journal.write(seen())
    sizes = {path.name: len(path.read_text().splitlines()) for path in tmp_path.iterdir()}
    assert sizes == {"observations.jsonl": 2, "observations.1.jsonl": 3}


def test_a_journal_without_a_line_is_fine(tmp_path: Path, part: Part) -> None:
    Journal(tmp_path / "observations.jsonl", part)
    assert part.state is State.OK


def test_a_disk_that_refuses_is_health_and_no_exception(tmp_path: Path, part: Part) -> None:
    folder = tmp_path / "state"
    journal = Journal(folder / "observations.jsonl", part)
    journal.write(seen())
    assert part.state is State.DEGRADED
    assert "observations.jsonl" in (part.reason or "")
    folder.mkdir()
    journal.write(seen())
    assert part.state is State.OK
