"""Whether a microphone is sound: what its samples say of it, whoever speaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import AudioChunk, Phase

_WINDOW_NS = 1_000_000_000
FULL_SCALE = 0.999
"""From here on a sample counts as clipped."""

_EASE = 0.5
"""A fault is over below this share of what begins it."""

_EASE_DB = 6.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sound microphone keeps to."""

    silent_dbfs: float = -80.0
    """A window that is no louder is silent."""
    clipped_share: float = 0.01
    """Share of samples at full scale, from which a window clips."""
    dc_offset: float = 0.1
    """Mean, in parts of full scale, from which a window is off centre."""
    after_s: float = 10.0
    """How long a fault lasts before it is told; silence, which may be a quiet night, six times as long."""
    clear_s: float = 5.0
    """How long it is gone before its end is told."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that begins or ends."""

    name: str
    """`dead` (not even noise), `silent`, `clipping` or `dc_offset`."""
    phase: Phase
    measure: str
    """What was measured: `variation`, `level_dbfs`, `clipped_share`, `dc_offset`."""
    value: float
    comparison: str
    threshold: float
    pts_ns: int
    """Monotonic time up to which it was measured."""


@dataclass(frozen=True, slots=True)
class _Window:
    variation: float
    level_dbfs: float
    clipped_share: float
    dc_offset: float
    end_ns: int


class MicrophoneCheck:
    """Watches one microphone, second by second.

    A stream of one and the same number is dead, not silent: even the quietest room has noise. `level_dbfs`
    and `faults` tell how it is now.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self.level_dbfs: float | None = None
        """RMS of the last second; -120 for digital silence; None before the first."""
        silent, share, offset = limits.silent_dbfs, limits.clipped_share, limits.dc_offset
        after_ns, clear_ns = round(limits.after_s * 1e9), round(limits.clear_s * 1e9)
        self._lives = (
            FaultLife("dead", "variation", 0.0, 0.0, after_ns, clear_ns),
            FaultLife("silent", "level_dbfs", silent, silent + _EASE_DB, 6 * after_ns, clear_ns),
            FaultLife("clipping", "clipped_share", share, share * _EASE, after_ns, clear_ns, above=True),
            FaultLife("dc_offset", "dc_offset", offset, offset * _EASE, after_ns, clear_ns, above=True),
        )
        self._waiting: list[AudioChunk] = []

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of those that last."""
        return tuple(life.name for life in self._lives if life.begun)

    def accept(self, chunk: AudioChunk) -> list[Fault]:
        """Faults that begin or end with the second that this chunk completes."""
        self._waiting.append(chunk)
        if sum(chunk.duration_ns for chunk in self._waiting) < _WINDOW_NS:
            return []
        window = _measured(self._waiting)
        self._waiting.clear()
        self.level_dbfs = window.level_dbfs
        return self._judged(window)

    def finish(self) -> list[Fault]:
        """End those that last."""
        self._waiting.clear()
        return [fault for life in self._lives for fault in life.finish()]

    def _judged(self, window: _Window) -> list[Fault]:
        lives = [life for life in self._lives if window.variation > 0 or life.name != "silent"]
        return [
            fault for life in lives for fault in life.update(getattr(window, life.measure), window.end_ns)
        ]


class FaultLife:
    """Hysteresis of one fault: bad for `after_ns` begins it, good for `clear_ns` ends it."""

    def __init__(
        self,
        name: str,
        measure: str,
        limit: float,
        eased: float,
        after_ns: int,
        clear_ns: int,
        *,
        above: bool = False,
    ) -> None:
        self.name = name
        self.measure = measure
        self.begun = False
        self._limit = limit
        self._eased = eased
        self._above = above
        self._patience_ns = {False: after_ns, True: clear_ns}
        self._since_ns: int | None = None
        self._last: tuple[float, int] = (0.0, 0)

    def update(self, value: float, end_ns: int) -> list[Fault]:
        """Judge the second that ended at `end_ns` (monotonic)."""
        self._last = (value, end_ns)
        if self._bad(value) is self.begun:
            self._since_ns = None
            return []
        if self._since_ns is None:
            self._since_ns = end_ns - _WINDOW_NS
        if end_ns - self._since_ns < self._patience_ns[self.begun]:
            return []
        return self._turn()

    def finish(self) -> list[Fault]:
        """End it, if it lasts."""
        self._since_ns = None
        return self._turn() if self.begun else []

    def _bad(self, value: float) -> bool:
        limit = self._eased if self.begun else self._limit
        return value >= limit if self._above else value <= limit

    def _turn(self) -> list[Fault]:
        self.begun, self._since_ns = not self.begun, None
        value, end_ns = self._last
        phase = Phase.BEGAN if self.begun else Phase.ENDED
        limit = self._limit if self.begun else self._eased
        comparison = ">=" if self._above is self.begun else "<="
        return [Fault(self.name, phase, self.measure, value, comparison, limit, end_ns)]


def level_dbfs(samples: NDArray[np.floating[Any]]) -> float:
    """How loud they are around their mean, against full scale; -120 at least."""
    return 20 * math.log10(max(float(np.std(samples, dtype=np.float64)), 1e-6))


def _measured(chunks: list[AudioChunk]) -> _Window:
    samples = np.concatenate([chunk.samples for chunk in chunks]).astype(np.float64)
    mean = float(samples.mean())
    return _Window(
        variation=float(np.ptp(samples)),
        level_dbfs=round(level_dbfs(samples), 1),
        clipped_share=float(np.mean(np.abs(samples) >= FULL_SCALE)),
        dc_offset=abs(mean),
        end_ns=chunks[-1].end_ns,
    )
