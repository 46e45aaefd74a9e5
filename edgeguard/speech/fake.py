"""Hearing without models, for tests, drills and development."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeguard.speech.loudness import LoudnessVad
from edgeguard.speech.recogniser import RecogniserStream, Transcript
from edgeguard.speech.samples import RATE_HZ

_STEP = 160
"""Samples (10 ms) over which loudness is judged."""


class FakeVad(LoudnessVad):
    """Takes for speech whatever is louder than `level`, steady or not, until `min_silence_s` of quiet."""

    def __init__(self, level: float = 0.01, min_silence_s: float = 0.5) -> None:
        super().__init__(min_speech_s=0.0, min_silence_s=min_silence_s, max_speech_s=math.inf)
        self._level = level

    @property
    def _threshold(self) -> float:
        return self._level


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
