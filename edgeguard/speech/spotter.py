"""Keyword spotting: a model that hears chosen phrases and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import DependencyError, ModelError, how_to_install
from edgeguard.speech import sherpa
from edgeguard.speech.recogniser import RecogniserStream, Transcript
from edgeguard.speech.samples import RATE_HZ

_TAIL = np.zeros(int(0.8 * RATE_HZ), np.float32)

Spell = Callable[[str], Sequence[str]]
"""From a phrase to the model's tokens."""


class SherpaSpotter:
    """A `Recogniser` of sherpa-onnx's `KeywordSpotter`: each phrase that was said is a final.

    ModelError if a file is missing or refused, or a phrase cannot be spelt with the model's tokens.
    """

    def __init__(
        self,
        tokens: Path,
        encoder: Path,
        decoder: Path,
        joiner: Path,
        phrases: Sequence[str],
        spell: Spell,
        *,
        threshold: float = 0.25,
        threads: int = 1,
    ) -> None:
        files = {"tokens": tokens, "encoder": encoder, "decoder": decoder, "joiner": joiner}
        options = {name: sherpa.file(path) for name, path in files.items()}
        lines = [_line(number, phrase, spell, tokens) for number, phrase in enumerate(phrases)]
        make = sherpa.load().KeywordSpotter
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            self._spotter: Any = sherpa.build(
                "keyword spotter",
                lambda: make(
                    **options, keywords_file=file.name, keywords_threshold=threshold, num_threads=threads
                ),
            )
        self.phrases = tuple(phrases)
        self._fed: dict[int, SpotterStream] = {}

    def stream(self) -> SpotterStream:
        return SpotterStream(self, self._spotter, self._spotter.create_stream())

    def decode(self) -> None:
        streams = [*self._fed.values()]
        self._fed.clear()
        while streams := [stream for stream in streams if self._spotter.is_ready(stream.stream)]:
            self._spotter.decode_streams([stream.stream for stream in streams])
            for stream in streams:
                stream.decoded()

    def was_fed(self, stream: SpotterStream) -> None:
        """Remember that the next `decode` has something to do for it."""
        self._fed[id(stream)] = stream


class SpotterStream(RecogniserStream):
    """One stream of a SherpaSpotter."""

    def __init__(self, owner: SherpaSpotter, spotter: Any, stream: Any) -> None:
        self.stream = stream
        self._owner = owner
        self._spotter = spotter
        self._fed = self._since = 0
        self._found: list[Transcript] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        self._fed += len(samples)
        self.stream.accept_waveform(RATE_HZ, samples)
        self._owner.was_fed(self)

    def end(self) -> None:
        self.stream.accept_waveform(RATE_HZ, _TAIL)
        self.stream.input_finished()
        self._owner.was_fed(self)

    def decode(self) -> None:
        self._owner.decode()

    def decoded(self) -> None:
        """The model took a step, which may complete a phrase."""
        result = self._spotter.keyword_spotter.get_result(self.stream)  # one may read it only once
        if result.keyword:
            phrase = self._owner.phrases[int(result.keyword.strip().removeprefix("k"))]
            self._found.append(self._transcript(phrase, result.timestamps))
            self._spotter.reset_stream(self.stream)
            self._since = self._fed

    def poll(self) -> list[Transcript]:
        found, self._found = self._found, []
        return found

    def _transcript(self, phrase: str, timestamps: Sequence[float]) -> Transcript:
        """Words spread over the time of the phrase; the model counts from its latest reset."""
        ends_s = [self._since / RATE_HZ + time_s for time_s in (timestamps[0], timestamps[-1])]
        start_s, stop_s = (min(end_s, self._fed / RATE_HZ) for end_s in ends_s)
        words = phrase.split()
        times_s = np.linspace(start_s, stop_s, len(words)) if len(words) > 1 else [stop_s]
        tokens = tuple(f" {word}" for word in words)
        return Transcript(phrase, tokens, tuple(float(time_s) for time_s in times_s), None, True)


def speller(tokens: Path, bpe: Path | None) -> Spell:
    """How the models of the catalog spell: in word pieces in capitals with `bpe`, else in pinyin.

    DependencyError without sentencepiece and pypinyin.
    """
    kind = "ppinyin" if bpe is None else "bpe"

    def spell(phrase: str) -> Sequence[str]:
        text = phrase if bpe is None else phrase.upper()
        model = None if bpe is None else sherpa.file(bpe)
        try:
            spelt = sherpa.load().text2token([text], sherpa.file(tokens), tokens_type=kind, bpe_model=model)
        except ImportError as error:
            raise DependencyError(
                "the keyword spotter needs to spell phrases: "
                + how_to_install("sentencepiece>=0.2", "pypinyin>=0.50")
            ) from error
        return spelt[0] if spelt else ()

    return spell


def _line(number: int, phrase: str, spell: Spell, tokens: Path) -> str:
    """A line of sherpa-onnx's keywords file."""
    known = {line.rsplit(maxsplit=1)[0] for line in tokens.read_text(encoding="utf-8").splitlines() if line}
    pieces = spell(phrase)
    unknown = [piece for piece in pieces if piece not in known]
    if unknown or not pieces:
        raise ModelError(
            f"the keyword spotter cannot spell the phrase {phrase!r} with its tokens"
            f"{': ' + ' '.join(unknown) if unknown else ''}; take a model of the phrase's language"
        )
    return f"{' '.join(pieces)} @k{number}\n"
