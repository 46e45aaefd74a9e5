"""Speech without the noise around it, for the recogniser alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeguard.speech import sherpa
from edgeguard.speech.recogniser import RecogniserStream, Transcript
from edgeguard.speech.samples import RATE_HZ


class Denoiser(Protocol):
    """Cleans one stretch of sound after another; what it gives lags behind what it gets."""

    def begin(self) -> None:
        """Forget what came before."""

    def clean(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take (n,) samples at 16 kHz; (m,) cleaned ones."""

    def flush(self) -> NDArray[np.float32]:
        """The cleaned samples that are still held back."""


class GtcrnDenoiser:
    """GTCRN (https://github.com/Xiaobin-Rong/gtcrn) in sherpa-onnx; ModelError if it cannot be loaded."""

    def __init__(self, model: Path) -> None:
        sherpa_onnx = sherpa.load()
        config = sherpa_onnx.OnlineSpeechDenoiserConfig()
        config.model.gtcrn.model = sherpa.file(model)
        config.model.num_threads = 1
        self._denoiser: Any = sherpa.build("denoiser", lambda: sherpa_onnx.OnlineSpeechDenoiser(config))

    def begin(self) -> None:
        self._denoiser.reset()

    def clean(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._denoiser.run(samples, RATE_HZ).samples, np.float32)

    def flush(self) -> NDArray[np.float32]:
        return np.asarray(self._denoiser.flush().samples, np.float32)


class Denoised(RecogniserStream):
    """A stream that hears what the denoiser leaves; it has the denoiser to itself until its end."""

    def __init__(self, stream: RecogniserStream, denoiser: Denoiser) -> None:
        self._stream = stream
        self._denoiser = denoiser
        denoiser.begin()

    def feed(self, samples: NDArray[np.float32]) -> None:
        self._stream.feed(self._denoiser.clean(samples))

    def end(self) -> None:
        self._stream.feed(self._denoiser.flush())
        self._stream.end()

    def decode(self) -> None:
        self._stream.decode()

    def poll(self) -> list[Transcript]:
        return self._stream.poll()
