"""Sound tags from YAMNet (https://github.com/tensorflow/models/tree/master/research/audioset/yamnet)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeguard.models import Session
from edgeguard.speech.samples import RecentSamples
from edgeguard.speech.tags import TAGS, TagSpec
from edgeguard.types import AudioChunk, Phase, SoundTag

WINDOW = 15_600
"""Samples that YAMNet hears at once."""

HOP = WINDOW // 2
"""Samples from one window to the next."""

_SILENCE = 1e-4
"""A window that stays below this peak (-80 dBFS) holds nothing to name."""


class SoundTagger:
    """Tags one microphone's sounds; the session may serve several.

    `labels` are the display names of the model's classes. A tag begins at its threshold, goes on above
    `off_ratio` of it, and ends when that has not been so for `release_s`. ValueError if a tag names a class
    that the model does not have.
    """

    def __init__(
        self,
        session: Session,
        labels: Sequence[str],
        tags: Sequence[TagSpec] = TAGS,
        *,
        off_ratio: float = 0.6,
        release_s: float = 2.0,
    ) -> None:
        self._session = session
        (self._input,) = session.inputs
        self._rows = [_rows(spec, spec.classes, labels) for spec in tags]
        self._rivals = [_rows(spec, spec.rivals, labels) for spec in tags]
        self._lives = [TagLife(spec, off_ratio * spec.threshold, round(release_s * 1e9)) for spec in tags]
        self._recent = RecentSamples()
        self._next = 0

    def accept(self, chunk: AudioChunk) -> list[SoundTag]:
        """Tags that begin, go on or end with the windows that this chunk completes."""
        self._recent.append(chunk)
        heard: list[SoundTag] = []
        while self._next + WINDOW <= self._recent.end:
            heard += self._hear(self._recent.take(self._next, self._next + WINDOW))
        self._recent.forget(self._next)
        return heard

    def finish(self) -> list[SoundTag]:
        """Hear the rest as if silence followed, end the tags that go on, and begin afresh."""
        heard: list[SoundTag] = []
        rest = self._recent.take(self._next, self._recent.end)
        if len(rest) > (HOP if self._next else 0):
            heard += self._hear(np.pad(rest, (0, WINDOW - len(rest))))
        heard += [ended for life in self._lives for ended in life.finish()]
        self._recent.clear()
        self._next = 0
        return heard

    def _hear(self, window: NDArray[np.float32]) -> list[SoundTag]:
        start_ns = self._recent.pts_ns(self._next)
        end_ns = self._recent.pts_ns(min(self._next + WINDOW, self._recent.end))
        self._next += HOP
        heard: list[SoundTag] = []
        for life, confidence in zip(self._lives, self._confidences(window), strict=True):
            heard += life.update(confidence, start_ns, end_ns)
        return heard

    def _confidences(self, window: NDArray[np.float32]) -> list[float]:
        if np.abs(window).max() < _SILENCE:
            return [0.0] * len(self._rows)
        (scores,) = self._session.infer({self._input: window}).values()
        return [
            _unrivalled(scores[0, rows], scores[0, rivals])
            for rows, rivals in zip(self._rows, self._rivals, strict=True)
        ]


def _unrivalled(scores: NDArray[np.float32], rivals: NDArray[np.float32]) -> float:
    surest = float(scores.max())
    return surest if surest >= float(rivals.max(initial=0.0)) else 0.0


def _rows(spec: TagSpec, names: Sequence[str], labels: Sequence[str]) -> list[int]:
    unknown = [name for name in names if name not in labels]
    if unknown:
        raise ValueError(f"the sound tag {spec.tag} names classes that the model does not have: {unknown}")
    return [labels.index(name) for name in names]


class TagLife:
    """Hysteresis and minimum duration of one tag."""

    def __init__(self, spec: TagSpec, off_threshold: float, release_ns: int) -> None:
        self._spec = spec
        self._off_threshold = off_threshold
        self._release_ns = release_ns
        self._min_duration_ns = round(spec.min_duration_s * 1e9)
        self._heard = self._begun = False
        self._start_pts_ns = self._end_pts_ns = 0
        self._peak = 0.0

    def update(self, confidence: float, start_pts_ns: int, end_pts_ns: int) -> list[SoundTag]:
        """What one window, given by its confidence and span, means for the tag."""
        if confidence >= (self._off_threshold if self._heard else self._spec.threshold):
            if not self._heard:
                self._heard, self._start_pts_ns = True, start_pts_ns
            self._end_pts_ns = end_pts_ns
            self._peak = max(self._peak, confidence)
            return self._go_on(confidence)
        if end_pts_ns - self._end_pts_ns >= self._release_ns:
            return self.finish()
        return []

    def finish(self) -> list[SoundTag]:
        """End it, if it has begun."""
        ended = [self._tag(Phase.ENDED, self._peak, self._spec.threshold)] if self._begun else []
        self._forget()
        return ended

    def _go_on(self, confidence: float) -> list[SoundTag]:
        if self._begun:
            return [self._tag(Phase.CONTINUES, confidence, self._off_threshold)]
        if self._end_pts_ns - self._start_pts_ns < self._min_duration_ns:
            return []
        self._begun = True
        return [self._tag(Phase.BEGAN, self._peak, self._spec.threshold)]

    def _tag(self, phase: Phase, confidence: float, threshold: float) -> SoundTag:
        return SoundTag(self._spec.tag, phase, confidence, threshold, self._start_pts_ns, self._end_pts_ns)

    def _forget(self) -> None:
        self._heard = self._begun = False
        self._peak = 0.0
