"""Composed scenes as microphones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeguard.anchor import Anchor
from edgeguard.audio.source import CHUNK_SAMPLES, RATE_HZ
from edgeguard.clock import Clock
from edgeguard.errors import SourceError
from edgeguard.types import AudioChunk

_CHUNK_NS = CHUNK_SAMPLES * 1_000_000_000 // RATE_HZ


class Score(Protocol):
    """A scene that sounds at any time."""

    def sound(self, start_sample: int, count: int, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
        """(count,) samples from `start_sample` on."""


class SceneAudioSource:
    """Plays a scene's sound in real time, or as fast as it is read."""

    def __init__(
        self,
        name: str,
        score: Score,
        clock: Clock,
        wait: Callable[[float], object],
        *,
        realtime: bool = True,
    ) -> None:
        self.name = name
        self._score = score
        self._clock = clock
        self._wait = wait
        self._realtime = realtime
        self._sequence = 0
        self._anchor: Anchor | None = None

    def open(self) -> None:
        self._anchor = Anchor(self._clock, live=False)
        self._start_ns = self._clock.monotonic_ns()
        self._chunk = 0

    def read(self, timeout_s: float) -> AudioChunk | None:
        if self._anchor is None:
            raise SourceError(f"microphone {self.name} is not open")
        if self._realtime and not self._wait_for_chunk(timeout_s):
            return None
        times = self._anchor.stamp(self._chunk * _CHUNK_NS)
        samples = self._score.sound(self._chunk * CHUNK_SAMPLES, CHUNK_SAMPLES)
        self._chunk += 1
        sequence, self._sequence = self._sequence, self._sequence + 1
        return AudioChunk(self.name, sequence, times.pts_ns, times.utc_ns, times.arrived_ns, samples, RATE_HZ)

    def close(self) -> None:
        self._anchor = None

    def _wait_for_chunk(self, timeout_s: float) -> bool:
        """Wait until the chunk's last sample would have been heard."""
        due_ns = self._start_ns + (self._chunk + 1) * _CHUNK_NS
        wait_s = (due_ns - self._clock.monotonic_ns()) / 1e9
        self._wait(min(max(wait_s, 0.0), timeout_s))
        return wait_s <= timeout_s
