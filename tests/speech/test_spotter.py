"""The real KeywordSpotter of sherpa-onnx, on a model that takes tones for words."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.errors import ModelError
from edgeguard.speech import FakeVad, PhraseMatcher, Transcriber
from edgeguard.speech.spotter import SherpaSpotter, speller
from edgeguard.types import Utterance
from tests.support.sound import Sound, at, chunks, join, silence, tone

WORDS = {1000: "▁help", 2000: "▁fire"}
HELP, FIRE, GAP = tone(1000, 0.3), tone(2000, 0.3), silence(0.2)


def spell(phrase: str) -> list[str]:
    return [f"▁{word}" for word in phrase.split()]


def make(folder: Path, *phrases: str) -> SherpaSpotter:
    from tests.support.tone_models import tone_transducer

    files = tone_transducer(folder, WORDS)
    return SherpaSpotter(files.tokens, files.encoder, files.decoder, files.joiner, phrases, spell)


@pytest.fixture
def spotter(tmp_path: Path) -> SherpaSpotter:
    return make(tmp_path, "help fire", "fire help")


def said(spotter: SherpaSpotter, sound: Sound) -> list[Utterance]:
    transcriber = Transcriber("gate", spotter, FakeVad(min_silence_s=1.0))
    return [u for chunk in chunks(sound) for u in transcriber.accept(chunk)]


def test_a_phrase_is_a_final_before_the_speech_is_over(spotter: SherpaSpotter) -> None:
    (heard,) = said(spotter, join(silence(1), HELP, GAP, FIRE, silence(2)))
    assert (heard.text, heard.final, heard.tokens) == ("help fire", True, (" help", " fire"))
    assert heard.end_pts_ns == pytest.approx(at(1.6), abs=300_000_000)


def test_every_time_it_is_said_it_is_heard_once(tmp_path: Path) -> None:
    phrase = join(HELP, GAP, FIRE)
    heard = said(make(tmp_path, "help fire"), join(silence(1), phrase, silence(0.6), phrase, silence(2)))
    assert [u.text for u in heard] == ["help fire", "help fire"]
    times = [time for u in heard for time in u.token_pts_ns]
    assert times == pytest.approx([at(1.0), at(1.5), at(2.4), at(2.9)], abs=150_000_000)


def test_words_that_are_no_phrase_are_not_heard(spotter: SherpaSpotter) -> None:
    assert said(spotter, join(silence(1), HELP, silence(2), FIRE, silence(2))) == []


def test_the_matcher_takes_it_for_the_phrase_that_was_asked_for(spotter: SherpaSpotter) -> None:
    matcher = PhraseMatcher(["Help, fire!", "fire help"])
    (heard,) = said(spotter, join(silence(1), FIRE, GAP, HELP, silence(2)))
    assert [keyword.phrase for keyword in matcher.accept(heard)] == ["fire help"]


def test_microphones_are_heard_together_as_alone(spotter: SherpaSpotter) -> None:
    gate, yard = (Transcriber(name, spotter, FakeVad()) for name in ("gate", "yard"))
    one = chunks(join(silence(1), HELP, GAP, FIRE, silence(2)))
    other = chunks(join(silence(1), FIRE, GAP, HELP, silence(2)), source="yard")
    heard = []
    for a, b in zip(one, other, strict=True):
        gate.feed(a)
        yard.feed(b)
        spotter.decode()
        heard += [(u.source, u.text) for u in gate.poll() + yard.poll()]
    assert sorted(heard) == [("gate", "help fire"), ("yard", "fire help")]


def test_a_phrase_that_the_model_cannot_spell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot spell the phrase 'help police'.*▁police"):
        make(tmp_path, "help police")


def test_chinese_is_spelt_in_pinyin(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece", reason="no sentencepiece to spell with")
    pytest.importorskip("pypinyin", reason="no pypinyin to spell with")
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("".join(f"{t} {i}\n" for i, t in enumerate(["j", "iù", "m", "ìng"])), encoding="utf-8")
    assert speller(tokens, None)("救命") == ["j", "iù", "m", "ìng"]
