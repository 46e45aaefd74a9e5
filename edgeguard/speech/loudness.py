"""Voice activity without a model: whatever stands out from the quiet of the place."""

from __future__ import annotations

from collections import deque

import numpy as np

from edgeguard.speech.samples import RATE_HZ, RecentSamples
from edgeguard.speech.vad import Segment
from edgeguard.types import AudioChunk

_STEP = RATE_HZ // 50
"""Samples (20 ms) over which loudness is judged."""
_FLOOR_STEPS = 200
"""For how long (4 s) a place is taken to be as quiet as its quietest moment."""
_LEAST = 1e-3
"""Root mean square (-60 dB) below which nothing is speech."""


class LoudnessVad:
    """Takes for speech what is `ratio_db` louder than the quietest moment of the last 4 s.

    The floor is that of minimum statistics (Martin 2001). Music, machines that start and dogs are speech to
    it as well: it wakes the recogniser more often than a trained model, and misses no shout.
    """

    def __init__(
        self,
        *,
        ratio_db: float = 9.0,
        min_speech_s: float = 0.06,
        min_silence_s: float = 0.5,
        max_speech_s: float = 20.0,
    ) -> None:
        self._ratio = 10 ** (ratio_db / 20)
        self._min_speech = max(1, round(min_speech_s * RATE_HZ / _STEP)) * _STEP
        self._min_silence = round(min_silence_s * RATE_HZ)
        self._max_speech = max_speech_s * RATE_HZ
        self._recent = RecentSamples()
        self._begin_afresh()

    def accept(self, chunk: AudioChunk) -> list[Segment]:
        self._recent.append(chunk)
        ended = []
        while self._done + _STEP <= self._recent.end:
            self._step()
            if self._over():
                ended += self._end()
        self._recent.forget(self._done)
        return [*ended, Segment(self._recent.pts_ns(self._start), None)] if self._speaking else ended

    def finish(self) -> list[Segment]:
        ended = self._end()
        self._recent.clear()
        self._begin_afresh()
        return ended

    def _begin_afresh(self) -> None:
        self._done = self._start = self._loud_until = self._loud = 0
        self._speaking = False
        self._levels: deque[float] = deque(maxlen=_FLOOR_STEPS)

    def _step(self) -> None:
        samples = self._recent.take(self._done, self._done + _STEP)
        level = float(np.sqrt(np.mean(samples * samples)))
        self._levels.append(level)
        self._done += _STEP
        if level > self._threshold:
            self._hear_loud()
        else:
            self._loud = 0

    @property
    def _threshold(self) -> float:
        """Root mean square above which a step is loud."""
        return max(_LEAST, self._ratio * min(self._levels))

    def _hear_loud(self) -> None:
        self._loud += _STEP
        self._loud_until = self._done
        if not self._speaking and self._loud >= self._min_speech:
            self._speaking = True
            self._start = self._done - self._loud

    def _over(self) -> bool:
        quiet = self._done - self._loud_until >= self._min_silence
        return self._speaking and (quiet or self._done - self._start >= self._max_speech)

    def _end(self) -> list[Segment]:
        if not self._speaking:
            return []
        self._speaking, self._loud = False, 0
        return [Segment(self._recent.pts_ns(self._start), self._recent.pts_ns(self._loud_until))]
