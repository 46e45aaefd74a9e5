from __future__ import annotations

import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.support.sound import join, silence, tone
from tests.support.tone_models import tone_ctc

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

import _speech_cases
import _speech_chain
import bench_speech


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the starter model's, whose words are tones."""
    folder = Path(tmp_path_factory.mktemp("model"))
    files = tone_ctc(folder, {1000: "▁help", 2000: "▁fire"})
    files.tokens.rename(folder / "tokens.txt")
    files.model.rename(folder / "model.int8.onnx")
    return folder


def test_ours_and_sherpa_alone_hear_the_same(
    model: Path, tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "speech").mkdir()
    sound = join(silence(1), tone(1000, 0.3), silence(0.3), tone(2000, 0.3), silence(1))
    with wave.open(str(tmp_path / "speech/words.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((sound * 32_767).astype("<i2").tobytes())
    monkeypatch.setattr(bench_speech, "AUDIO", tmp_path)
    figures = bench_speech.speed(model, rounds=1)
    assert figures["texts_equal"] is True
    assert all(
        figures[name] > 0 for name in ("rtf", "rtf_sherpa_cli", "speed_ratio", "rtf_eight", "rtf_chain")
    )
    assert bench_speech._streamed(_speech_chain.recogniser(model), sound) == "help fire"


def test_the_chain_tells_keywords_with_their_times(
    model: Path, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeguard.speech import FakeVad

    monkeypatch.setattr(_speech_chain, "SileroVad", lambda path: FakeVad())
    chain = _speech_chain.Chain(_speech_chain.recogniser(model), ["help"])
    (heard,) = chain.hear(join(silence(1), tone(1000, 0.3)))
    assert heard.phrase == "help"
    assert heard.end_s == pytest.approx(1.1, abs=0.2)
    assert heard.told_s - 1.3 < 0.5, "half a second after the last sample of the word"


def test_noise_is_as_loud_as_asked() -> None:
    speech, noise = tone(440, 1, 0.1), np.full(16_000, 0.3, np.float32)
    added = _speech_cases.mixed(speech, noise, 10) - speech
    spoken = speech[np.abs(speech) > 0.01]
    assert 10 * np.log10(np.mean(spoken**2) / np.mean(added**2)) == pytest.approx(10, abs=0.1)
