"""The product's way from samples to keywords, for tools that measure it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeguard.models import ModelStore, default_root, load_catalog
from edgeguard.speech import (
    Endpointing,
    GtcrnDenoiser,
    PhraseMatcher,
    SherpaRecogniser,
    SileroVad,
    Transcriber,
)
from edgeguard.types import AudioChunk

RATE_HZ = 16_000
CHUNK = RATE_HZ // 10
MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared"))
BUILTIN = Path(__file__).resolve().parent.parent / "edgeguard/models/builtin/phrases-en"

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """A keyword, as an alert would be made of it."""

    phrase: str
    end_s: float
    """Of its last token, since the first sample."""
    told_s: float
    """When the microphone delivered the sound upon which it was known, and the time it took to know."""


def store() -> ModelStore:
    return ModelStore(default_root(), [MIRROR])


def model_path(name: str) -> Path:
    """The file of a model of the catalog; ModelError if it is not installed."""
    return store().path(load_catalog().card(name))


def recogniser(folder: Path, endpointing: Endpointing | None = None) -> SherpaRecogniser:
    """The streaming CTC model in `folder`; ModelError if it is none."""
    tokens, model = folder / "tokens.txt", folder / "model.int8.onnx"
    return SherpaRecogniser.from_nemo_ctc(tokens, model, endpointing=endpointing)


class Chain:
    """Voice activity, the recogniser and phrases, as one microphone has them in the daemon."""

    def __init__(
        self,
        model: SherpaRecogniser,
        phrases: Sequence[str],
        *,
        settle_s: float = 0.3,
        denoise: bool = False,
    ) -> None:
        self._model = model
        self._phrases = phrases
        self._settle_s = settle_s
        self._vad = SileroVad(model_path("silero-vad"))
        self._denoiser = GtcrnDenoiser(model_path("gtcrn")) if denoise else None

    def hear(self, samples: Samples) -> list[Heard]:
        """The keywords in (n,) samples at 16 kHz, heard 100 ms at a time with a second of quiet after."""
        transcriber = Transcriber(
            "bench", self._model, self._vad, settle_s=self._settle_s, denoiser=self._denoiser
        )
        matcher = PhraseMatcher(self._phrases)
        heard = []
        for number, chunk in enumerate(chunks(np.concatenate([samples, np.zeros(RATE_HZ, np.float32)]))):
            begun_s = time.perf_counter()
            found = [k for u in transcriber.accept(chunk) for k in matcher.accept(u)]
            told_s = (number + 1) * CHUNK / RATE_HZ + time.perf_counter() - begun_s
            heard += [Heard(k.phrase, k.end_pts_ns / 1e9, told_s) for k in found]
        rest = [k for u in transcriber.finish() for k in matcher.accept(u)]
        return heard + [Heard(k.phrase, k.end_pts_ns / 1e9, len(samples) / RATE_HZ + 1) for k in rest]


def chunks(samples: Samples) -> list[AudioChunk]:
    """Portions of 100 ms from time 0 on; the last is filled with quiet."""
    padded = np.pad(samples, (0, -len(samples) % CHUNK))
    return [
        AudioChunk("bench", i, i * 100_000_000, 0, 0, padded[i * CHUNK : (i + 1) * CHUNK], RATE_HZ)
        for i in range(len(padded) // CHUNK)
    ]
