"""How strongly sound begins: the rise of its energy over what was before (Bello et al. 2005)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import AudioChunk

_HOP_S = 0.05
_BEFORE = 4
"""Hops whose loudest is what a hop is compared with."""
_FLOOR = 1e-7
"""Mean square below which all is quiet (-70 dB)."""
_LEAST_DB, _MOST_DB = 4.0, 20.0


class Onsets:
    """Of one microphone; chunks must follow one another, and at a hole it begins anew."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._end_ns: int | None = None
        self._before: deque[float] = deque(maxlen=_BEFORE)

    def accept(self, chunk: AudioChunk) -> Iterator[tuple[int, int, float]]:
        """Start, end (monotonic) and strength (dB, 0..20) of each 50 ms that this chunk completes."""
        if self._end_ns is None or abs(chunk.pts_ns - self._end_ns) > _HOP_S * 1e9:
            self._rest = self._rest[:0]
            self._before.clear()
        self._end_ns = chunk.end_ns
        start_ns = chunk.pts_ns - len(self._rest) * 1_000_000_000 // chunk.rate_hz
        samples = np.concatenate([self._rest, chunk.samples])
        hop = round(_HOP_S * chunk.rate_hz)
        whole = len(samples) // hop
        self._rest = samples[whole * hop :].copy()
        for number, level_db in enumerate(_levels_db(samples[: whole * hop].reshape(whole, hop))):
            hop_ns = start_ns + round(number * _HOP_S * 1e9)
            yield hop_ns, hop_ns + round(_HOP_S * 1e9), self._rise(level_db)

    def _rise(self, level_db: float) -> float:
        rise_db = level_db - max(self._before, default=level_db)
        self._before.append(level_db)
        return min(rise_db, _MOST_DB) if rise_db >= _LEAST_DB else 0.0


def _levels_db(hops: NDArray[np.float32]) -> list[float]:
    power = hops.astype(np.float64).var(axis=1)
    return [float(level) for level in 10 * np.log10(power + _FLOOR)]
