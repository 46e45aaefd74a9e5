"""One contract for every VAD, with a synthetic voice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.speech import FakeVad, LoudnessVad, SileroVad, Vad
from edgeguard.speech.vad import Segment
from tests.support.sound import Sound, at, chunks, join, read_wav, silence, speech, tone

MakeVad = Callable[[], Vad]


@pytest.fixture(params=["silero", "loudness", "fake"])
def make_vad(request: pytest.FixtureRequest) -> MakeVad:
    if request.param == "fake":
        return FakeVad
    if request.param == "loudness":
        return LoudnessVad
    model = request.getfixturevalue("silero")
    return lambda: SileroVad(model)


@pytest.fixture
def voice(models: Path) -> Sound:
    return speech("somebody is walking through the gate", models)


def segments(vad: Vad, sound: Sound, size: int = 1600) -> list[Segment]:
    """The ended ones."""
    heard = [segment for chunk in chunks(sound, size) for segment in vad.accept(chunk)]
    return [segment for segment in heard if segment.end_pts_ns is not None]


def test_each_sentence_is_a_segment_at_its_time(make_vad: MakeVad, voice: Sound) -> None:
    voice_s = len(voice) / 16_000
    found = segments(make_vad(), join(silence(1), voice, silence(2), voice, silence(2)))
    assert len(found) == 2
    for segment, start_s in zip(found, (1.0, 3.0 + voice_s), strict=True):
        assert segment.end_pts_ns is not None
        assert at(start_s - 0.2) < segment.start_pts_ns < at(start_s + 0.3)
        assert at(start_s + voice_s - 0.4) < segment.end_pts_ns < at(start_s + voice_s + 0.4)


@pytest.mark.parametrize("size", [160, 512, 5000, 200_000])
def test_segments_do_not_depend_on_the_size_of_chunks(make_vad: MakeVad, voice: Sound, size: int) -> None:
    sound = join(silence(1), voice, silence(2), voice, silence(2))
    expected = segments(make_vad(), sound)
    for segment, other in zip(segments(make_vad(), sound, size), expected, strict=True):
        assert segment.start_pts_ns == pytest.approx(other.start_pts_ns, abs=100)
        assert segment.end_pts_ns == pytest.approx(other.end_pts_ns, abs=100)


def test_a_segment_is_open_while_somebody_speaks(make_vad: MakeVad, voice: Sound) -> None:
    vad = make_vad()
    states = [vad.accept(chunk) for chunk in chunks(join(silence(1), voice))]
    assert states[5] == []
    assert [segment.end_pts_ns for segment in states[-1]] == [None]


def test_finishing_ends_the_open_segment_and_begins_afresh(make_vad: MakeVad, voice: Sound) -> None:
    vad = make_vad()
    assert segments(vad, join(silence(1), voice)) == []
    (ended,) = vad.finish()
    assert ended.end_pts_ns is not None
    assert ended.start_pts_ns < ended.end_pts_ns <= at(1 + len(voice) / 16_000)
    assert vad.finish() == []
    assert len(segments(vad, join(silence(1), voice, silence(2)))) == 1


def test_silence_is_no_speech(make_vad: MakeVad) -> None:
    vad = make_vad()
    assert segments(vad, silence(5)) == []
    assert vad.finish() == []


@pytest.mark.parametrize("loudness", [0.001, 0.01, 0.1])
def test_loudness_takes_steady_noise_for_no_speech_and_hears_over_it(loudness: float, voice: Sound) -> None:
    """Speech 20 dB above the noise, wherever the noise is."""
    noise = loudness * np.random.default_rng(1).standard_normal(16_000 * 10).astype(np.float32)
    vad = LoudnessVad()
    assert segments(vad, noise) == []
    spoken = voice * np.float32(10 * loudness / np.sqrt(np.mean(voice**2)))
    heard = segments(vad, join(noise[: len(voice)] + spoken, noise))
    assert heard
    assert heard[0].start_pts_ns < at(10.3)


def test_loudness_lets_no_segment_grow_for_ever(voice: Sound) -> None:
    found = segments(LoudnessVad(max_speech_s=3), join(silence(1), *[voice] * 6, silence(2)))
    for segment in found:
        assert segment.end_pts_ns is not None
        assert segment.end_pts_ns - segment.start_pts_ns <= 3_020_000_000


def test_silero_takes_a_tone_for_no_speech(silero: Path) -> None:
    assert segments(SileroVad(silero), join(tone(1000, 3), silence(1))) == []


def test_silero_finds_each_command_and_nothing_in_rain(silero: Path, mirror: Path) -> None:
    vad = SileroVad(silero)
    commands = segments(vad, read_wav(mirror / "data/audio/speech/jetson_commands.wav"))
    assert len(commands) == 8
    vad.finish()
    assert segments(vad, read_wav(mirror / "data/audio/noise/rain.wav")) == []


def test_silero_keeps_time_when_it_renews_its_count(
    silero: Path, voice: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = join(silence(1), voice, silence(2), voice, silence(2))
    expected = segments(SileroVad(silero), sound)
    monkeypatch.setattr("edgeguard.speech.vad._RENEW_AFTER", 16_000)
    for segment, other in zip(segments(SileroVad(silero), sound), expected, strict=True):
        assert segment.start_pts_ns == pytest.approx(other.start_pts_ns, abs=64_000_000)


def test_silero_without_its_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is missing: fetch it"):
        SileroVad(tmp_path / "silero_vad.onnx")
