from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest

from edgeguard.audio import GstAudioSource
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.errors import EndOfStreamError
from edgeguard.runtime.bookmark import Bookmark, BookmarkedSource
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.sources import SourceStage
from edgeguard.types import AudioChunk

SECOND = 16_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SECOND, 0, "NONE", ""))
        file.writeframes(np.full(4 * SECOND, 500, "<i2").tobytes())
    return path.as_uri()


def run(folder: Path, url: str) -> BookmarkedSource:
    """What the next run of the daemon hears."""
    source = GstAudioSource("hall", url, SystemClock(), realtime=False)
    bookmarked = BookmarkedSource(source, Bookmark(folder / "heard" / "hall", url))
    bookmarked.open()
    return bookmarked


def hear(source: BookmarkedSource, count: int = 1000) -> int:
    """How many samples there are in at most `count` chunks."""
    samples = 0
    try:
        for _ in range(count):
            chunk = source.read(5.0)
            assert chunk is not None
            samples += len(chunk.samples)
    except EndOfStreamError:
        pass
    return samples


def test_an_orderly_restart_goes_on_at_the_sample(tmp_path: Path, url: str) -> None:
    first = run(tmp_path, url)
    assert hear(first, 13) == 13 * 1600
    first.close()
    assert hear(run(tmp_path, url)) == 4 * SECOND - 13 * 1600


def test_a_crash_costs_a_second_and_repeats_nothing(tmp_path: Path, url: str) -> None:
    hear(run(tmp_path, url), 13)
    rest = hear(run(tmp_path, url))
    assert 4 * SECOND - 13 * 1600 - SECOND <= rest <= 4 * SECOND - 13 * 1600


def test_what_was_played_to_its_end_begins_anew(tmp_path: Path, url: str) -> None:
    assert hear(run(tmp_path, url)) == 4 * SECOND
    assert hear(run(tmp_path, url)) == 4 * SECOND


def test_another_recording_in_its_place_is_heard_from_its_start(tmp_path: Path, url: str) -> None:
    hear(run(tmp_path, url), 13)
    os.utime(tmp_path / "tone.wav", (1, 1))
    assert hear(run(tmp_path, url)) == 4 * SECOND


@pytest.mark.parametrize("kept", [b"", b"[]", b"{", b'{"of": 1, "samples": "x"}', b"\xff"])
def test_a_bookmark_that_cannot_be_read_is_none(tmp_path: Path, url: str, kept: bytes) -> None:
    (tmp_path / "heard").mkdir()
    (tmp_path / "heard" / "hall").write_bytes(kept)
    assert hear(run(tmp_path, url)) == 4 * SECOND


def test_one_that_was_stopped_at_its_end_has_ended_and_is_not_heard_again(tmp_path: Path, url: str) -> None:
    hear(run(tmp_path, url), 38)  # a second ahead is beyond the end
    chunks: Channel[AudioChunk] = Channel(100)
    source = GstAudioSource("hall", url, SystemClock(), realtime=False)
    bookmarked = BookmarkedSource(source, Bookmark(tmp_path / "heard" / "hall", url))
    stage = SourceStage("audio-hall", bookmarked, chunks, HealthBoard(ManualClock()).part("microphone/hall"))
    stage.open()
    with pytest.raises(EndOfStreamError, match="to its end"):
        for _ in range(100):
            stage.step()
    assert not np.any([len(chunk.samples) for chunk in chunks.get_all(0)])
