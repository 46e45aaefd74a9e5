"""Streaming recognition: samples in, text out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeguard.speech import sherpa
from edgeguard.speech.hotwords import Hotwords, options
from edgeguard.speech.samples import RATE_HZ

_TAIL = np.zeros(int(0.8 * RATE_HZ), np.float32)
"""Silence that pushes the last words through the model's look-ahead."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a stream has recognised since its last endpoint."""

    text: str
    tokens: tuple[str, ...]
    """As the model spells them; a leading space begins a word."""
    times_s: tuple[float, ...]
    """Of each token, since the stream's first sample."""
    confidence: float | None
    """0..1; None where the model gives none."""
    final: bool


class RecogniserStream(ABC):
    """One microphone's way through a recogniser: fed, decoded together with other streams, polled."""

    @abstractmethod
    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take the next (n,) samples at 16 kHz."""

    @abstractmethod
    def end(self) -> None:
        """No more samples will come."""

    @abstractmethod
    def decode(self) -> None:
        """Recognise what was fed to this stream, and to every other one of its recogniser."""

    @abstractmethod
    def poll(self) -> list[Transcript]:
        """What is new since the last call: finals, and at most one partial after them.

        A final follows every partial; its text is empty only if the partial was taken back.
        """

    def accept(self, samples: NDArray[np.float32]) -> list[Transcript]:
        """Feed, decode and poll at once."""
        self.feed(samples)
        self.decode()
        return self.poll()

    def finish(self) -> list[Transcript]:
        """The final of what has been said; nothing may follow."""
        self.end()
        self.decode()
        return self.poll()


class Recogniser(Protocol):
    """A loaded model, shared by any number of streams in one thread."""

    def stream(self) -> RecogniserStream: ...

    def decode(self) -> None:
        """Recognise what was fed to any of its streams since the last call, in batches."""


@dataclass(frozen=True, slots=True)
class Endpointing:
    """When an utterance ends."""

    silence_s: float = 1.2
    """Quiet after words."""
    empty_silence_s: float = 2.4
    """Quiet without any word."""
    longest_s: float = 20.0
    """In any case."""


class SherpaRecogniser:
    """A streaming model in sherpa-onnx's `OnlineRecognizer`.

    Every `from_` method raises DependencyError without sherpa-onnx, and ModelError if a file is missing or
    refused.
    """

    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer
        self._fed: dict[int, SherpaStream] = {}

    @classmethod
    def from_transducer(
        cls,
        tokens: Path,
        encoder: Path,
        decoder: Path,
        joiner: Path,
        *,
        endpointing: Endpointing | None = None,
        threads: int = 1,
        hotwords: Hotwords | None = None,
    ) -> SherpaRecogniser:
        """A transducer such as a streaming Zipformer; DependencyError as `hotwords.options` has it."""
        files = {"encoder": encoder, "decoder": decoder, "joiner": joiner}
        with options(hotwords, Path(sherpa.file(tokens))) as expected:
            return cls(_recognizer("from_transducer", tokens, files, endpointing, threads, expected))

    @classmethod
    def from_nemo_ctc(
        cls, tokens: Path, model: Path, *, endpointing: Endpointing | None = None, threads: int = 1
    ) -> SherpaRecogniser:
        """A CTC model in the streaming NeMo layout."""
        return cls(_recognizer("from_nemo_ctc", tokens, {"model": model}, endpointing, threads))

    @classmethod
    def from_zipformer2_ctc(
        cls, tokens: Path, model: Path, *, endpointing: Endpointing | None = None, threads: int = 1
    ) -> SherpaRecogniser:
        """A streaming Zipformer with CTC."""
        return cls(_recognizer("from_zipformer2_ctc", tokens, {"model": model}, endpointing, threads))

    def stream(self) -> SherpaStream:
        return SherpaStream(self, self._recognizer, self._recognizer.create_stream())

    def decode(self) -> None:
        """One call of the model takes a step of every stream that has one ready."""
        streams = [*self._fed.values()]
        self._fed.clear()
        while streams := [stream for stream in streams if self._recognizer.is_ready(stream.stream)]:
            self._recognizer.decode_streams([stream.stream for stream in streams])
            for stream in streams:
                stream.decoded()

    def was_fed(self, stream: SherpaStream) -> None:
        """Remember that the next `decode` has something to do for it."""
        self._fed[id(stream)] = stream


class SherpaStream(RecogniserStream):
    """One `OnlineStream` of a shared `OnlineRecognizer`."""

    def __init__(self, recogniser: SherpaRecogniser, recognizer: Any, stream: Any) -> None:
        self.stream = stream
        self._recogniser = recogniser
        self._recognizer = recognizer
        self._partial = ""
        self._finals: list[Transcript] = []
        self._ended = self._news = False

    def feed(self, samples: NDArray[np.float32]) -> None:
        self.stream.accept_waveform(RATE_HZ, samples)
        self._recogniser.was_fed(self)

    def end(self) -> None:
        self.feed(_TAIL)
        self.stream.input_finished()
        self._ended = True

    def decode(self) -> None:
        self._recogniser.decode()

    def decoded(self) -> None:
        """The model took a step, which may end the utterance."""
        self._news = True
        if self._recognizer.is_endpoint(self.stream):
            self._finals += self._end()

    def poll(self) -> list[Transcript]:
        finals, self._finals = self._finals, []
        if self._ended:
            return [*finals, *self._end()]
        if not self._news:
            return finals
        self._news = False
        result = self._recognizer.get_result_all(self.stream)
        text = result.text.strip()
        if text in ("", self._partial):
            return finals
        self._partial = text
        return [*finals, _transcript(result, text, final=False)]

    def _end(self) -> list[Transcript]:
        result = self._recognizer.get_result_all(self.stream)
        text = result.text.strip()
        said = bool(text or self._partial)
        self._partial = ""
        final = [_transcript(result, text, final=True)] if said else []
        self._recognizer.reset(self.stream)
        return final


def _transcript(result: Any, text: str, final: bool) -> Transcript:
    start_s = result.start_time  # each attribute is converted anew whenever it is asked for
    times_s = tuple([start_s + time_s for time_s in result.timestamps])
    return Transcript(text, tuple(result.tokens), times_s, _confidence(result.ys_probs), final)


def _confidence(log_probabilities: Sequence[float]) -> float | None:
    """Geometric mean of the tokens' probabilities."""
    if not log_probabilities:
        return None
    return math.exp(sum(log_probabilities) / len(log_probabilities))


def _recognizer(
    method: str,
    tokens: Path,
    files: dict[str, Path],
    endpointing: Endpointing | None,
    threads: int,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    endpointing = endpointing or Endpointing()
    arguments: dict[str, Any] = {
        name: sherpa.file(path) for name, path in {"tokens": tokens, **files}.items()
    }
    arguments |= {
        **more,
        "num_threads": threads,
        "enable_endpoint_detection": True,
        "rule1_min_trailing_silence": endpointing.empty_silence_s,
        "rule2_min_trailing_silence": endpointing.silence_s,
        "rule3_min_utterance_length": endpointing.longest_s,
    }
    make = getattr(sherpa.load().OnlineRecognizer, method)
    return sherpa.build("recogniser", lambda: make(**arguments))
