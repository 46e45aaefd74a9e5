"""A piece of sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Consecutive mono samples from one microphone."""

    source: str
    """Microphone name."""
    sequence: int
    """Counts chunks of this source from 0; a hole means chunks were dropped."""
    pts_ns: int
    """Monotonic time of the first sample."""
    utc_ns: int
    """UTC time of the first sample."""
    arrived_ns: int
    """Monotonic time at which the last sample reached the daemon."""
    samples: NDArray[np.float32]
    """(n,), -1..1."""
    rate_hz: int

    @property
    def duration_ns(self) -> int:
        return len(self.samples) * 1_000_000_000 // self.rate_hz

    @property
    def end_ns(self) -> int:
        """Monotonic time just after the last sample."""
        return self.pts_ns + self.duration_ns
