"""Moments that are seen and heard: with so much motion, so loud, and with motion and noise of their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import AudioChunk

RATE_HZ = 16_000
FPS = 5.0


@dataclass(frozen=True)
class Staged:
    """`seconds` of a place where about every five seconds something happens, sound `offset_ms` behind."""

    seconds: int
    offset_ms: int
    seed: int
    related: bool = True
    silent: float = 0.3
    """Share of what moves that makes no sound, and of sounds that nothing visible makes."""

    def motion(self) -> Iterator[tuple[int, int, float]]:
        """Start, end and energy between the frames."""
        random = np.random.default_rng([self.seed, 1])
        level = np.zeros(self.seconds * 100 + 400)
        for at_s in self._moments():
            first, length = int(at_s * 100), int(random.uniform(30, 200))
            shape = np.minimum(1, np.arange(length) / 10 + 0.3)
            level[first : first + length] += random.uniform(1, 8) * shape[: len(level) - first]
        times = np.arange(0, self.seconds, 1 / FPS) + random.uniform(0, 0.02, int(self.seconds * FPS))
        for start_s, end_s in itertools.pairwise(times):
            energy = level[int(start_s * 100) : int(end_s * 100)].mean() + abs(random.normal(0.3, 0.05))
            yield round(start_s * 1e9), round(end_s * 1e9), float(energy)

    def chunks(self) -> Iterator[AudioChunk]:
        """The sound, 100 ms at a time."""
        samples = self._sound()
        for number, start in enumerate(range(0, len(samples) - 1599, 1600)):
            at_ns = number * 100_000_000
            part = samples[start : start + 1600]
            yield AudioChunk("hall-mic", number, at_ns, at_ns, at_ns, part, RATE_HZ)

    def _moments(self) -> NDArray[np.float64]:
        times = np.random.default_rng([self.seed, 0]).exponential(5, self.seconds).cumsum()
        return times[times < self.seconds]

    def _sound(self) -> NDArray[np.float32]:
        random = np.random.default_rng([self.seed, 2])
        samples = random.normal(0, 0.002, self.seconds * RATE_HZ)
        seen = self._moments()
        heard = seen[random.random(len(seen)) > self.silent] + self.offset_ms / 1000
        own = random.exponential(5 / self.silent if self.related else 5, self.seconds).cumsum()
        for at_s in (*(heard if self.related else ()), *own):
            first, length = int(at_s * RATE_HZ), int(random.uniform(0.1, 1) * RATE_HZ)
            if 0 <= first < len(samples) - length:
                fall = 10 ** random.uniform(-1.5, -0.3) * np.exp(-3 * np.arange(length) / length)
                samples[first : first + length] += fall * random.normal(0, 1, length)
        return samples.astype(np.float32)
