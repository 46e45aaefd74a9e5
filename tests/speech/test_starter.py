"""The speech model that comes with the package, on espeak-ng and on everything that is no phrase."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edgeguard.models import ModelStore, load_catalog
from edgeguard.models.store import BUILTIN
from edgeguard.speech import SherpaRecogniser
from edgeguard.speech.recogniser import Transcript
from tests.support.sound import Sound, join, silence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

from _speech_cases import read_wav, speak

FOLDER = BUILTIN / "phrases-en"
CARD = load_catalog().card("phrases-en")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SherpaRecogniser:
    store = ModelStore(tmp_path_factory.mktemp("empty"))
    return SherpaRecogniser.from_nemo_ctc(store.path(CARD, "tokens"), store.path(CARD))


def hear(model: SherpaRecogniser, sound: Sound, size: int = 1600) -> str:
    stream = model.stream()
    said = [t for first in range(0, len(sound), size) for t in stream.accept(sound[first : first + size])]
    return " ".join(_finals(said + stream.finish()))


def _finals(transcripts: list[Transcript]) -> list[str]:
    return [" ".join(t.text.split()) for t in transcripts if t.final and t.text]


def said(phrase: str, voice: str = "en-us+m1") -> Sound:
    return join(silence(0.6), 0.5 * speak(phrase, voice, 160), silence(0.8))


def test_it_is_installed_where_nothing_was_pulled(tmp_path: Path) -> None:
    assert ModelStore(tmp_path).installed(CARD)


def test_it_is_small_and_every_phrase_is_a_token() -> None:
    assert (FOLDER / "model.int8.onnx").stat().st_size <= 4_000_000
    rows = (FOLDER / "tokens.txt").read_text().splitlines()
    tokens = {" ".join(row.lstrip("▁").split()[:-1]) for row in rows}
    phrases = (FOLDER / "phrases.txt").read_text().splitlines()
    assert set(phrases) == tokens - {"<blk>"}


@pytest.mark.parametrize("phrase", ["call the police", "he has a gun", "i need a doctor", "let me go"])
def test_it_hears_phrases(model: SherpaRecogniser, phrase: str) -> None:
    assert hear(model, said(phrase)) == phrase


def test_it_writes_nothing_of_what_is_no_phrase(model: SherpaRecogniser) -> None:
    assert hear(model, said("the weather will be fine tomorrow")) == ""


@pytest.mark.parametrize("loudness", [0.0, 0.001, 0.03, 0.3])
def test_silence_and_noise_say_nothing(model: SherpaRecogniser, loudness: float) -> None:
    noise = loudness * np.random.default_rng(1).standard_normal(16000 * 10)
    assert hear(model, noise.astype(np.float32)) == ""


@pytest.mark.parametrize("size", [160, 1111, 100_000])
def test_streaming_equals_offline(model: SherpaRecogniser, size: int) -> None:
    sound = join(said("help me"), said("somebody called about the table"), said("get on the ground"))
    assert hear(model, sound, size) == hear(model, sound)


def test_eight_microphones_equal_one(model: SherpaRecogniser) -> None:
    sounds = [said(phrase) for phrase in ("help me", "stop it", "hands up", "fire", "gas leak")]
    sounds += [said("good morning"), silence(2), join(silence(0.3), said("man down"))]
    longest = max(map(len, sounds))
    together = [np.pad(sound, (0, longest - len(sound))) for sound in sounds]
    streams = [model.stream() for _ in together]
    texts: list[list[str]] = [[] for _ in together]
    for first in range(0, longest, 1600):
        for stream, sound in zip(streams, together, strict=True):
            stream.feed(sound[first : first + 1600])
        model.decode()
        for stream, text in zip(streams, texts, strict=True):
            text += _finals(stream.poll())
    for stream, text in zip(streams, texts, strict=True):
        text += _finals(stream.finish())
    assert [" ".join(text) for text in texts] == [hear(model, sound) for sound in together]


def test_real_speech_holds_none_of_its_phrases(model: SherpaRecogniser, mirror: Path) -> None:
    """Long clips of people who read or talk of other things; how often it errs is measured by the bench."""
    heard = {
        path.stem: hear(model, read_wav(path)) for path in (mirror / "data/audio/speech").glob("lib*.wav")
    }
    assert len(heard) >= 5
    assert sum(map(bool, heard.values())) <= 1, heard
