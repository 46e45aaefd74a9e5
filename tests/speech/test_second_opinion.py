"""What another recogniser, PocketSphinx, says to the same recordings (a development extra, x86-64 only)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeguard.speech import Transcriber
from edgeguard.synth.sound import CALL_THE_POLICE, FIRE, HELP_ME, Voice
from tests.support.sound import Sound, chunks, join, read_wav, silence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

from phrase_training.texts import PHRASES

pocketsphinx = pytest.importorskip(
    "pocketsphinx", reason="needs pocketsphinx, a development extra for x86-64"
)

Opinion = Callable[[Sound], list[str]]


@pytest.fixture(scope="module")
def acoustic(mirror: Path) -> dict[str, str]:
    folder = mirror / "models/asr_pocketsphinx"
    return {
        "hmm": str(folder / "en-us"),
        "dict": str(folder / "cmudict-en-us.dict"),
        "loglevel": "FATAL",
    }


@pytest.fixture(scope="module")
def second(acoustic: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Opinion:
    """Which one of our phrases it would be, of all that it could be."""
    grammar = tmp_path_factory.mktemp("grammar") / "phrases.jsgf"
    grammar.write_text(f"#JSGF V1.0;\ngrammar phrases;\npublic <phrase> = {' | '.join(PHRASES)};\n")
    decoder = pocketsphinx.Decoder(**acoustic, jsgf=str(grammar))
    return lambda sound: [*_heard(decoder, sound)]


@pytest.fixture(scope="module")
def spotting(acoustic: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Opinion:
    """Which of our longer phrases it spots anywhere; short ones it hears everywhere."""
    listed = tmp_path_factory.mktemp("listed") / "phrases.txt"
    longer = [phrase for phrase in PHRASES if len(phrase.split()) >= 3]
    listed.write_text("".join(f"{phrase} /1e-10/\n" for phrase in longer))
    decoder = pocketsphinx.Decoder(**acoustic, kws=str(listed), lm=None)
    return lambda sound: [*_spotted(decoder, sound)]


def _heard(decoder: Any, sound: Sound) -> Iterator[str]:
    decoder.start_utt()
    decoder.process_raw(_pcm(sound), full_utt=True)
    decoder.end_utt()
    if (hypothesis := decoder.hyp()) is not None:
        yield hypothesis.hypstr


def _spotted(decoder: Any, sound: Sound) -> Iterator[str]:
    decoder.start_utt()
    for start in range(0, len(sound), 1600):
        decoder.process_raw(_pcm(sound[start : start + 1600]))
        if (hypothesis := decoder.hyp()) is not None:
            yield hypothesis.hypstr.strip()
            decoder.end_utt()
            decoder.start_utt()
    decoder.end_utt()


def _pcm(sound: Sound) -> bytes:
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


def _drawn(voice: Voice) -> Sound:
    samples = voice.make(np.random.default_rng(0), voice.duration_s, 16_000)
    return join(silence(0.5), 0.5 * samples.astype(np.float32), silence(0.8))


@pytest.mark.parametrize("voice", [HELP_ME, CALL_THE_POLICE, FIRE], ids=lambda voice: voice.name)
def test_both_hear_what_the_drawn_scenes_say(
    voice: Voice, second: Opinion, starter: Callable[[], Transcriber]
) -> None:
    sound = _drawn(voice)
    assert second(sound) == [voice.name]
    assert _ours(starter(), sound) == [voice.name]


def test_neither_hears_a_phrase_where_people_read(
    mirror: Path, spotting: Opinion, starter: Callable[[], Transcriber]
) -> None:
    """So that a phrase that ours hears there is an error, and not something that was said."""
    assert spotting(_drawn(CALL_THE_POLICE)) == ["call the police"]
    clips = sorted((mirror / "data/audio/speech").glob("lib*.wav"))
    assert len(clips) >= 5
    for clip in clips:
        sound = read_wav(clip)
        assert spotting(sound) == [], clip.stem
        assert not {*_ours(starter(), sound)} & {p for p in PHRASES if len(p.split()) >= 3}, clip.stem


def _ours(transcriber: Transcriber, sound: Sound) -> list[str]:
    told = [u for chunk in chunks(sound, 1600) for u in transcriber.accept(chunk)] + transcriber.finish()
    return [" ".join(u.text.split()) for u in told if u.final and u.text]
