"""By how much sound is later than the picture: where motion and onsets are most alike.

Normalised cross-correlation (Lewis 1995) of how much more moves than before with how much louder it became.
That picture and sound which change together have one cause is the idea of Hershey and Movellan (1999); the
height of the peak over everything beside it is the peak-to-sidelobe ratio of Bolme et al. (2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeguard.sync.track import STEP_NS

_STEP_MS = STEP_NS // 1_000_000
_PEAK = 6
"""Steps on either side of a peak that belong to it."""
_ALIKE_MS = 200
"""So far may the halves of a window be apart that agree."""
_RIVAL = 0.75
"""A peak with another of that share of its height, as anything in a rhythm has, tells nothing."""
_LEAST_EVENTS = 6
"""Things that begin to move, and sounds that begin, below which a window is not lively."""


@dataclass(frozen=True, slots=True)
class Offset:
    """What one window says."""

    offset_ms: int
    """Positive: the sound is later than the picture."""
    quality: float
    """Peak-to-sidelobe ratio; 5 is the least."""


def estimate(
    motion: NDArray[np.float64], onsets: NDArray[np.float64], reach: int, least_quality: float = 5.0
) -> Offset | None:
    """The offset, or None where too little happens, or where the peak might be chance.

    Windows of the same steps, NaN where nothing was measured; offsets of up to `reach` steps are looked for.
    Both halves of the window must say what the whole says.
    """
    seen, heard = _news(motion), _even(onsets)
    if min(_events(seen), _events(heard)) < _LEAST_EVENTS:
        return None
    whole = _alikeness(seen, heard, reach)
    peak = int(np.argmax(whole))
    quality = _quality(whole, peak)
    if quality < least_quality or not _PEAK <= peak < len(whole) - _PEAK:
        return None
    for part in _halves(len(seen)):
        half = _alikeness(_only(seen, part), heard, reach)
        if abs(int(np.argmax(half)) - peak) * _STEP_MS > _ALIKE_MS:
            return None
    return Offset(round((_summit(whole, peak) - reach) * _STEP_MS), round(quality, 1))


def _news(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """What moves more than just before; a clumsy big movement counts little more than a small one."""
    usual = np.nanmedian(motion) if np.isfinite(motion).any() else 0.0
    level = np.log2(1 + motion / (usual + 0.1))
    before = np.full_like(level, np.nan)
    before[8:] = np.fmax(np.fmax(level[4:-4], level[:-8]), level[6:-2]) if len(level) > 8 else np.nan
    return _even(np.maximum(level - before, 0))


def _even(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and deviation 1, and no single value that decides; 0 where nothing was measured."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    spread = float(filled.std())
    if spread < 1e-6:
        return np.zeros_like(filled)
    capped = np.minimum(filled, 3 * spread)
    return np.where(known, (capped - capped[known].mean()) / capped.std(), 0.0)


def _events(values: NDArray[np.float64]) -> int:
    """How often the values rise above their deviation."""
    above = values > 1.0
    return int(np.count_nonzero(above[1:] & ~above[:-1]))


def _alikeness(seen: NDArray[np.float64], heard: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """(2 reach + 1,): by lag, the correlation of what is seen with what is heard that much later."""
    padded = np.pad(heard, reach)
    products = np.correlate(padded, seen, mode="valid")
    norm = np.sqrt((seen**2).sum() * (heard**2).sum())
    return np.asarray(products / norm if norm else products, np.float64)


def _only(values: NDArray[np.float64], part: slice) -> NDArray[np.float64]:
    kept = np.zeros_like(values)
    kept[part] = values[part]
    return kept


def _halves(length: int) -> tuple[slice, slice]:
    return slice(0, length // 2), slice(length // 2, length)


def _quality(alike: NDArray[np.float64], peak: int) -> float:
    beside = np.delete(alike, np.arange(max(peak - _PEAK, 0), min(peak + _PEAK + 1, len(alike))))
    if beside.max(initial=0.0) >= _RIVAL * alike[peak] or not beside.std():
        return 0.0
    return float((alike[peak] - beside.mean()) / beside.std())


def _summit(alike: NDArray[np.float64], peak: int) -> float:
    """The peak's centre of mass above half its height, between steps."""
    near = np.arange(max(peak - _PEAK, 0), min(peak + _PEAK + 1, len(alike)))
    mass = np.maximum(alike[near] - alike[peak] / 2, 0)
    return float((near * mass).sum() / mass.sum())
