from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.clock import ManualClock
from edgeguard.evidence import Transcripts
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.secretary import Secretary
from edgeguard.types import Observation


@pytest.fixture
def part() -> Part:
    return HealthBoard(ManualClock()).part("transcripts")


def heard(kind: str, text: str | None) -> Observation:
    return Observation(kind, "hall", 1, 1_700_000_000_000_000_000, 1.0, text=text)


def test_keeps_sentences_that_may_be_kept_and_nothing_else(tmp_path: Path, part: Part) -> None:
    transcripts = Transcripts(tmp_path, ManualClock(), 7)
    secretary = Secretary(transcripts, part)
    for observation in (heard("utterance", "hello"), heard("utterance", None), heard("keyword", "help")):
        secretary.write(observation)
    assert [sentence.text for sentence in transcripts.read()] == ["hello"]
    assert part.report()["kept"] == 1


def test_a_disk_that_refuses_is_health(tmp_path: Path, part: Part) -> None:
    (tmp_path / "file").write_text("")
    secretary = Secretary(Transcripts(tmp_path / "file", ManualClock(), 7), part)
    secretary.write(heard("utterance", "hello"))
    assert part.state is State.DEGRADED
