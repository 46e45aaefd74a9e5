"""Models for hearing tests: crafted ones built once, real ones from the mirror."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeguard.models.store import BUILTIN
from edgeguard.speech import Endpointing, LoudnessVad, SherpaRecogniser, Transcriber

WORDS = {1000: "▁help", 2000: "▁fire"}
SHORT_PAUSES = Endpointing(silence_s=0.8, empty_silence_s=2.0, longest_s=20.0)


@pytest.fixture(scope="session")
def silero(mirror: Path) -> Path:
    return mirror / "models/audio/silero_vad.onnx"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def ctc(models: Path) -> SherpaRecogniser:
    """Hears 1 kHz as `help` and 2 kHz as `fire`."""
    from tests.support.tone_models import tone_ctc

    files = tone_ctc(models, WORDS)
    return SherpaRecogniser.from_nemo_ctc(files.tokens, files.model, endpointing=SHORT_PAUSES)


@pytest.fixture(scope="session")
def transducer(models: Path) -> SherpaRecogniser:
    """The same, but no word twice in a row; it gives confidences."""
    from tests.support.tone_models import tone_transducer

    files = tone_transducer(models, WORDS)
    return SherpaRecogniser.from_transducer(
        files.tokens, files.encoder, files.decoder, files.joiner, endpointing=SHORT_PAUSES
    )


@pytest.fixture(scope="session")
def starter() -> Callable[[], Transcriber]:
    """A microphone's ear with nothing but what comes with the package."""
    folder = BUILTIN / "phrases-en"
    recogniser = SherpaRecogniser.from_nemo_ctc(folder / "tokens.txt", folder / "model.int8.onnx")
    return lambda: Transcriber("gate", recogniser, LoudnessVad(), settle_s=0.05)
