"""What every audio source must do, run on each of them."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.audio import AudioSource, GstAudioSource, SceneAudioSource
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.types import AudioChunk
from tests.support.clips import make_clip, make_tone

TONE_HZ = 1000
Maker = Callable[..., AudioSource]


class Tone:
    """A scene of one tone."""

    def sound(self, start_sample: int, count: int, rate_hz: int = 16_000) -> NDArray[np.float32]:
        t = np.arange(start_sample, start_sample + count) / rate_hz
        return (0.5 * np.sin(2 * np.pi * TONE_HZ * t)).astype(np.float32)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("sounds")
    return {
        "wav": make_tone(folder / "tone.wav", seconds=3, tone_hz=TONE_HZ).as_uri(),
        "mp4": make_clip(folder / "clip.mp4", seconds=3, tone_hz=TONE_HZ).as_uri(),
    }


@pytest.fixture(params=["wav", "mp4", "scene"])
def make(request: pytest.FixtureRequest, urls: dict[str, str]) -> Maker:
    def build(realtime: bool = False) -> AudioSource:
        if request.param == "scene":
            return SceneAudioSource("hall", Tone(), SystemClock(), time.sleep, realtime=realtime)
        return GstAudioSource("hall", urls[request.param], SystemClock(), realtime=realtime)

    return build


def take(source: AudioSource, count: int) -> list[AudioChunk]:
    chunks: list[AudioChunk] = []
    while len(chunks) < count:
        chunk = source.read(5.0)
        assert chunk is not None
        chunks.append(chunk)
    return chunks


def test_chunks_are_100_ms_of_16_khz_mono_without_a_gap(make: Maker) -> None:
    source = make()
    source.open()
    chunks = take(source, 20)
    source.close()
    assert [chunk.sequence for chunk in chunks] == list(range(20))
    for before, after in pairwise(chunks):
        assert abs(after.pts_ns - before.end_ns) <= 1000
    for chunk in chunks:
        assert chunk.samples.shape == (1600,)
        assert chunk.samples.dtype == np.float32
        assert (chunk.source, chunk.rate_hz) == ("hall", 16_000)


def test_the_tone_survives(make: Maker) -> None:
    source = make()
    source.open()
    samples = np.concatenate([chunk.samples for chunk in take(source, 20)])[4800:]
    source.close()
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(float(np.argmax(spectrum)) * 16_000 / len(samples) - TONE_HZ) < 10
    assert 0.3 < float(np.abs(samples).max()) < 0.8


def test_real_time_is_real_time(make: Maker) -> None:
    source = make(realtime=True)
    source.open()
    chunks = take(source, 20)
    source.close()
    assert chunks[-1].arrived_ns - chunks[0].arrived_ns > 700_000_000


def test_it_ends_and_can_be_opened_again(make: Maker, request: pytest.FixtureRequest) -> None:
    source = make()
    source.open()
    if "scene" not in request.node.name:
        with pytest.raises(EndOfStreamError):
            take(source, 1000)
    source.close()
    source.open()
    take(source, 2)
    source.close()


def test_a_file_that_broke_off_is_not_heard_twice(tmp_path: Path) -> None:
    ramp = (np.arange(3 * 16_000) % 16_000).astype("<i2")
    with wave.open(str(tmp_path / "ramp.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(ramp.tobytes())
    source = GstAudioSource("hall", (tmp_path / "ramp.wav").as_uri(), SystemClock(), realtime=False)
    heard: list[AudioChunk] = []
    for count in (7, 12, 11):
        source.open()
        heard += take(source, count)
        if count == 11:
            with pytest.raises(EndOfStreamError):
                take(source, 1)
        source.close()
    samples = np.concatenate([chunk.samples for chunk in heard]) * 32768
    np.testing.assert_allclose(samples, ramp, atol=1)
    assert [chunk.sequence for chunk in heard] == list(range(30))
    assert all(after.pts_ns >= before.end_ns - 1000 for before, after in pairwise(heard))
    source.open()
    assert abs(float(take(source, 1)[0].samples[100]) * 32768 - 100) <= 1, "played to its end, it begins anew"
    source.close()


def test_what_was_heard_of_a_file_before_is_passed_over_at_once_and_the_rest_is_paced(tmp_path: Path) -> None:
    url = make_tone(tmp_path / "tone.wav", seconds=8, tone_hz=TONE_HZ).as_uri()
    source = GstAudioSource("hall", url, SystemClock())
    source.given = 6 * 16_000
    began = time.monotonic()
    source.open()
    take(source, 10)
    source.close()
    assert 0.7 < time.monotonic() - began < 3


def test_a_silent_picture_says_that_nothing_comes(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "mute.mp4", seconds=1)
    source = GstAudioSource("hall", clip.as_uri(), SystemClock(), realtime=False, stall_s=0.5)
    source.open()
    with pytest.raises(SourceError):
        take(source, 1)
    source.close()


@pytest.mark.parametrize("url", ["alsa://hw:97,0", "file:///nowhere.wav", "gopher://x/"])
def test_what_cannot_be_opened_says_so(url: str) -> None:
    source = GstAudioSource("hall", url, SystemClock())
    with pytest.raises(SourceError):
        source.open()
        for _ in range(50):
            source.read(0.2)
    source.close()


def test_a_sound_card_is_read(make: Maker) -> None:
    source = GstAudioSource("hall", "alsa://null", SystemClock())
    source.open()
    (chunk,) = take(source, 1)
    source.close()
    assert not chunk.samples.any()
