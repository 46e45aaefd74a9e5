"""What every microphone offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import AudioChunk

RATE_HZ = 16_000
CHUNK_SAMPLES = RATE_HZ // 10


class AudioSource(Protocol):
    """A microphone: opened, read until it breaks or ends, closed; may be opened again."""

    name: str

    def open(self) -> None:
        """Connect. Raises SourceError or DependencyError."""

    def read(self, timeout_s: float) -> AudioChunk | None:
        """The next 100 ms, or None after `timeout_s`.

        Raises EndOfStreamError at the end and SourceError when the source broke or fell silent; after
        either only `close` may follow.
        """

    def close(self) -> None:
        """Let go of everything; safe at any time, also twice."""


class Gatherer:
    """Cuts samples that come in any portion into chunks of `CHUNK_SAMPLES`, keeping the time of the first."""

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.float32)
        self._start_ns: int | None = None

    def add(self, samples: NDArray[np.float32], running_ns: int | None) -> None:
        """Append (n,) samples, the first heard at `running_ns`; a hole in time drops what waits."""
        if running_ns is not None and abs(running_ns - self._end_ns(running_ns)) > 100_000_000:
            self._waiting, self._start_ns = self._waiting[:0], None
        if self._start_ns is None:
            self._start_ns = running_ns
        self._waiting = np.concatenate([self._waiting, samples])

    def take(self) -> tuple[NDArray[np.float32], int | None] | None:
        """The next whole chunk and the running time of its first sample, or None."""
        if len(self._waiting) < CHUNK_SAMPLES:
            return None
        chunk, self._waiting = self._waiting[:CHUNK_SAMPLES].copy(), self._waiting[CHUNK_SAMPLES:]
        start_ns = self._start_ns
        if start_ns is not None:
            self._start_ns = start_ns + CHUNK_SAMPLES * 1_000_000_000 // RATE_HZ
        return chunk, start_ns

    def _end_ns(self, default_ns: int) -> int:
        if self._start_ns is None:
            return default_ns
        return self._start_ns + len(self._waiting) * 1_000_000_000 // RATE_HZ
