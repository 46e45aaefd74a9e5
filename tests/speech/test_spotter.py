from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgeguard.errors import ModelError
from edgeguard.speech import Keyword, KeywordSpotter
from edgeguard.speech.spotter import SpotterStream
from tests.support.sound import Sound, at, chunks, join, silence, tone

if TYPE_CHECKING:
    from tests.support.tone_models import ToneTransducer

HELP, FIRE, PAUSE = tone(1000, 0.3), tone(2000, 0.3), silence(0.3)


@pytest.fixture(scope="module")
def spotter(tone_transducer: ToneTransducer, models: Path) -> KeywordSpotter:
    """Listens for 1 kHz followed by 2 kHz."""
    keywords = models / "keywords.txt"
    keywords.write_text("▁help ▁fire @help_fire\n", encoding="utf-8")
    files = tone_transducer
    return KeywordSpotter(
        files.tokens, files.encoder, files.decoder, files.joiner, keywords, threshold=0.4, score=0.5
    )


def spot(stream: SpotterStream, sound: Sound) -> list[Keyword]:
    return [keyword for chunk in chunks(sound) for keyword in stream.accept(chunk)]


def test_each_spoken_keyword_is_spotted_once(spotter: KeywordSpotter) -> None:
    once = join(silence(1), HELP, PAUSE, FIRE)
    found = spot(spotter.stream(), join(once, silence(1), once, silence(2)))
    assert [keyword.phrase for keyword in found] == ["help fire", "help fire"]
    for keyword, start_s in zip(found, (1.0, 3.9), strict=True):
        assert at(start_s + 0.6) < keyword.end_pts_ns < at(start_s + 1.7)
        assert keyword.end_pts_ns - keyword.start_pts_ns == pytest.approx(600_000_000, abs=100_000_000)
        assert keyword.confidence == keyword.threshold == 0.4


def test_other_sounds_are_no_keyword(spotter: KeywordSpotter) -> None:
    assert spot(spotter.stream(), join(silence(1), FIRE, PAUSE, FIRE, silence(2))) == []


def test_a_reset_forgets_half_a_keyword(spotter: KeywordSpotter) -> None:
    stream = spotter.stream()
    assert spot(stream, join(silence(1), HELP, PAUSE)) == []
    stream.reset()
    assert spot(stream, join(PAUSE, FIRE, silence(2))) == []


def test_streams_do_not_mix(spotter: KeywordSpotter) -> None:
    gate, yard = spotter.stream(), spotter.stream()
    assert spot(gate, join(silence(1), HELP, PAUSE)) == []
    assert spot(yard, join(silence(1), FIRE, silence(2))) == []
    assert len(spot(gate, join(FIRE, silence(2)))) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is missing"):
        KeywordSpotter(tmp_path, tmp_path, tmp_path, tmp_path, tmp_path)
