"""Hearing without models, for tests, drills and development."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeguard.speech.recogniser import RecogniserStream, Transcript
from edgeguard.speech.samples import RATE_HZ, RecentSamples
from edgeguard.speech.vad import Segment
from edgeguard.types import AudioChunk

_STEP = 160
"""Samples (10 ms) over which loudness is judged."""


class FakeVad:
    """Takes for speech whatever is louder than `level`, until it is quiet for `min_silence_s`."""

    def __init__(self, level: float = 0.01, min_silence_s: float = 0.5) -> None:
        self._level = level
        self._min_silence = round(min_silence_s * RATE_HZ)
        self._recent = RecentSamples()
        self._done = self._loud_until = 0
        self._start: int | None = None

    def accept(self, chunk: AudioChunk) -> list[Segment]:
        self._recent.append(chunk)
        segments = []
        while self._done + _STEP <= self._recent.end:
            self._step()
            if self._start is not None and self._done - self._loud_until >= self._min_silence:
                segments += self._end()
        self._recent.forget(self._done)
        return (
            segments if self._start is None else [*segments, Segment(self._recent.pts_ns(self._start), None)]
        )

    def finish(self) -> list[Segment]:
        segments = self._end()
        self._recent.clear()
        self._done = self._loud_until = 0
        return segments

    def _step(self) -> None:
        loud = bool(np.abs(self._recent.take(self._done, self._done + _STEP)).max() > self._level)
        if loud and self._start is None:
            self._start = self._done
        self._done += _STEP
        if loud:
            self._loud_until = self._done

    def _end(self) -> list[Segment]:
        start, self._start = self._start, None
        if start is None:
            return []
        return [Segment(self._recent.pts_ns(start), self._recent.pts_ns(self._loud_until))]


class FakeRecogniser:
    """Hears the words of `script` one after another, each in `word_s` of sound louder than `level`.

    All its streams read on in the same script, and hear nothing once it is used up.
    """

    def __init__(self, script: Sequence[str], word_s: float = 0.25, level: float = 0.01) -> None:
        self._words = iter(script)
        self.word = round(word_s * RATE_HZ)
        self.level = level

    def stream(self) -> FakeStream:
        return FakeStream(self)

    def decode(self) -> None:
        """Its streams hear at once."""

    def next_word(self) -> str | None:
        return next(self._words, None)


class FakeStream(RecogniserStream):
    """One stream of a FakeRecogniser."""

    def __init__(self, recogniser: FakeRecogniser) -> None:
        self._recogniser = recogniser
        self._rest = np.zeros(0, np.float32)
        self._heard = self._loud = self._told = 0
        self._ended = False
        self._tokens: list[str] = []
        self._times_s: list[float] = []

    def feed(self, samples: NDArray[np.float32]) -> None:
        waiting = np.concatenate([self._rest, samples])
        steps = waiting[: len(waiting) // _STEP * _STEP].reshape(-1, _STEP)
        self._rest = waiting[steps.size :]
        for step in steps:
            self._heard += _STEP
            self._loud += _STEP * bool(np.abs(step).max() > self._recogniser.level)
            if self._loud >= self._recogniser.word:
                self._say(self._recogniser.next_word())

    def end(self) -> None:
        self._ended = True

    def decode(self) -> None:
        pass

    def poll(self) -> list[Transcript]:
        if self._ended:
            return [self._transcript(final=True)] if self._tokens else []
        before, self._told = self._told, len(self._tokens)
        return [self._transcript(final=False)] if self._told > before else []

    def _say(self, word: str | None) -> None:
        self._loud = 0
        if word is not None:
            self._tokens.append(f" {word}")
            self._times_s.append(self._heard / RATE_HZ)

    def _transcript(self, final: bool) -> Transcript:
        text = "".join(self._tokens).strip()
        return Transcript(text, tuple(self._tokens), tuple(self._times_s), 1.0, final)
