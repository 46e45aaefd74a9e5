"""Keywords straight from the sound, by a small model that recognises nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeguard.speech import sherpa
from edgeguard.speech.phrases import Keyword
from edgeguard.types import AudioChunk


class KeywordSpotter:
    """A transducer in sherpa-onnx's `KeywordSpotter`, shared by any number of streams in one thread.

    `keywords` holds one phrase per line in the model's tokens, then `@` and the phrase with `_` for blanks.
    DependencyError without sherpa-onnx; ModelError if a file is missing or refused.
    """

    def __init__(
        self,
        tokens: Path,
        encoder: Path,
        decoder: Path,
        joiner: Path,
        keywords: Path,
        *,
        threshold: float = 0.25,
        score: float = 1.0,
        threads: int = 1,
    ) -> None:
        files = {"tokens": tokens, "encoder": encoder, "decoder": decoder, "joiner": joiner}
        options: dict[str, Any] = {name: sherpa.file(path) for name, path in files.items()}
        options |= {"keywords_file": sherpa.file(keywords), "num_threads": threads}
        options |= {"keywords_threshold": threshold, "keywords_score": score}
        make = sherpa.load().KeywordSpotter
        self._spotter = sherpa.build("keyword spotter", lambda: make(**options))
        self._threshold = threshold

    def stream(self) -> SpotterStream:
        return SpotterStream(self._spotter, self._threshold)


class SpotterStream:
    """One microphone's way through a keyword spotter."""

    def __init__(self, spotter: Any, threshold: float) -> None:
        self._spotter = spotter
        self._threshold = threshold
        self.reset()

    def accept(self, chunk: AudioChunk) -> list[Keyword]:
        """Keywords that this chunk completes."""
        self._stream.accept_waveform(chunk.rate_hz, chunk.samples)
        found = []
        while self._spotter.is_ready(self._stream):
            self._spotter.decode_stream(self._stream)
            # The wrapper's accessors would each take the result away from the next one.
            result = self._spotter.keyword_spotter.get_result(self._stream)
            if result.keyword:
                found.append(self._keyword(result.keyword.strip(), result.timestamps, chunk.end_ns))
                self._spotter.reset_stream(self._stream)
        return found

    def reset(self) -> None:
        """Forget what was heard."""
        self._stream = self._spotter.create_stream()

    def _keyword(self, name: str, times_s: list[float], end_pts_ns: int) -> Keyword:
        """The spotter's times start anew at moments it does not tell, so only their span is used."""
        phrase = name.replace("_", " ")
        span_ns = round((times_s[-1] - times_s[0]) * 1e9) if times_s else 0
        return Keyword(phrase, phrase, self._threshold, self._threshold, end_pts_ns - span_ns, end_pts_ns)
