"""Numbers for samples, so that models which count samples and chunks which carry times agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import AudioChunk

RATE_HZ = 16_000
"""What every model of this room listens at."""


class RecentSamples:
    """The latest samples of one microphone, numbered from 0.

    Times follow the newest chunk, so a source whose clock drifts stays right.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything and count from 0 again."""
        self.end = 0
        self._samples = np.zeros(0, np.float32)
        self._end_pts_ns = 0
        self._utc_offset_ns = 0

    @property
    def start(self) -> int:
        """The oldest sample that is still held."""
        return self.end - len(self._samples)

    def append(self, chunk: AudioChunk) -> None:
        """Take the next chunk; ValueError unless it comes at `RATE_HZ`."""
        if chunk.rate_hz != RATE_HZ:
            raise ValueError(
                f"microphone {chunk.source} delivers {chunk.rate_hz} Hz, expected {RATE_HZ} Hz: "
                "resample before listening"
            )
        self._samples = np.concatenate([self._samples, chunk.samples])
        self.end += len(chunk.samples)
        self._end_pts_ns = chunk.end_ns
        self._utc_offset_ns = chunk.utc_ns - chunk.pts_ns

    def take(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples `start` to `stop`, as far as they are still held."""
        return self._samples[max(start - self.start, 0) : max(stop - self.start, 0)]

    def forget(self, before: int) -> None:
        """Let go of the samples below `before`."""
        held = min(max(self.end - before, 0), len(self._samples))
        self._samples = self._samples[len(self._samples) - held :]

    def pts_ns(self, number: int) -> int:
        """Monotonic time of a sample, held or not."""
        return self._end_pts_ns - (self.end - number) * 1_000_000_000 // RATE_HZ

    def number(self, pts_ns: int) -> int:
        """The sample that is nearest to a monotonic time."""
        return self.end - round((self._end_pts_ns - pts_ns) * RATE_HZ / 1e9)

    def utc_ns(self, pts_ns: int) -> int:
        """UTC time of a monotonic time."""
        return pts_ns + self._utc_offset_ns
