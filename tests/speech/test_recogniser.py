"""One contract for every recogniser, on tones that the crafted models and the script take for words."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.errors import ModelError
from edgeguard.speech import FakeRecogniser, Recogniser, SherpaRecogniser
from edgeguard.speech.recogniser import RecogniserStream, Transcript
from tests.support.sound import Sound, join, silence, tone

HELP, FIRE, PAUSE = tone(1000, 0.3), tone(2000, 0.3), silence(0.4)


@pytest.fixture(params=["ctc", "transducer", "fake"])
def recogniser(request: pytest.FixtureRequest) -> Recogniser:
    if request.param == "fake":
        return FakeRecogniser(["help", "fire", "help", "fire"])
    found: SherpaRecogniser = request.getfixturevalue(request.param)
    return found


def hear(stream: RecogniserStream, sound: Sound, size: int = 1600) -> list[Transcript]:
    return [t for first in range(0, len(sound), size) for t in stream.accept(sound[first : first + size])]


def test_text_grows_and_ends_with_a_final(recogniser: Recogniser) -> None:
    stream = recogniser.stream()
    partials = hear(stream, join(PAUSE, HELP, PAUSE, FIRE, PAUSE))
    assert [(t.text, t.final) for t in partials] == [("help", False), ("help fire", False)]
    (final,) = stream.finish()
    assert (final.text, final.final) == ("help fire", True)
    assert final.tokens == (" help", " fire")


def test_tokens_carry_the_time_since_the_first_sample(recogniser: Recogniser) -> None:
    stream = recogniser.stream()
    hear(stream, join(PAUSE, HELP, PAUSE, FIRE, PAUSE))
    (final,) = stream.finish()
    assert 0.35 < final.times_s[0] < 0.75
    assert 1.05 < final.times_s[1] < 1.45


def test_confidence_is_a_share_or_unknown(recogniser: Recogniser) -> None:
    stream = recogniser.stream()
    for transcript in hear(stream, join(PAUSE, HELP, PAUSE)) + stream.finish():
        assert transcript.confidence is None or 0.5 < transcript.confidence <= 1


def test_silence_says_nothing(recogniser: Recogniser) -> None:
    stream = recogniser.stream()
    assert hear(stream, silence(8)) + stream.finish() == []


def test_a_word_cut_off_by_the_end_is_still_heard(recogniser: Recogniser) -> None:
    stream = recogniser.stream()
    hear(stream, join(PAUSE, HELP))
    assert [t.text for t in stream.finish()] == ["help"]


def test_streams_of_one_model_do_not_mix(ctc: SherpaRecogniser) -> None:
    gate, yard = ctc.stream(), ctc.stream()
    sounds = join(PAUSE, HELP, PAUSE), join(PAUSE, FIRE, PAUSE)
    for first in range(0, len(sounds[0]), 1600):
        gate.accept(sounds[0][first : first + 1600])
        yard.accept(sounds[1][first : first + 1600])
    assert [t.text for t in gate.finish() + yard.finish()] == ["help", "fire"]


@pytest.mark.parametrize("size", [800, 1600, 100_000])
def test_a_pause_ends_the_utterance_and_time_goes_on(ctc: SherpaRecogniser, size: int) -> None:
    stream = ctc.stream()
    sound = join(PAUSE, HELP, silence(1.5), FIRE, PAUSE)
    finals = [t for t in hear(stream, sound, size) + stream.finish() if t.final]
    assert [t.text for t in finals] == ["help", "fire"]
    assert [t.times_s[0] for t in finals] == pytest.approx([0.4, 2.2], abs=0.15)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([HELP, FIRE]), max_size=4),
    st.lists(st.integers(1, 9000), min_size=1, max_size=6),
)
def test_in_portions_it_hears_what_it_hears_as_a_whole(
    ctc: SherpaRecogniser, spoken: list[Sound], sizes: list[int]
) -> None:
    sound = join(PAUSE, *(join(word, silence(0.2)) for word in spoken), PAUSE)
    sound = sound + np.random.default_rng(0).normal(0, 0.0003, len(sound)).astype(np.float32)
    whole, portions = ctc.stream(), ctc.stream()
    expected = whole.accept(sound) + whole.finish()
    heard, first = [], 0
    for size in itertools.cycle(sizes):
        heard += portions.accept(sound[first : first + size])
        first += size
        if first >= len(sound):
            break
    heard += portions.finish()
    assert [(t.text, t.times_s) for t in heard if t.final] == [
        (t.text, t.times_s) for t in expected if t.final
    ]


def test_text_does_not_depend_on_the_loudness(ctc: SherpaRecogniser) -> None:
    stream = ctc.stream()
    hear(stream, join(PAUSE, HELP, PAUSE, FIRE, PAUSE) * np.float32(0.03))
    assert [t.text for t in stream.finish()] == ["help fire"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tokens\.txt is missing"):
        SherpaRecogniser.from_zipformer2_ctc(tmp_path / "tokens.txt", tmp_path)


def test_a_damaged_model_is_refused(ctc: SherpaRecogniser, models: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot load the recogniser"):
        SherpaRecogniser.from_nemo_ctc(models / "ctc.txt", tmp_path / "broken.onnx")
