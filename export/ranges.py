"""Which range of values each tensor gets in INT8: histograms of |x|, and four ways to cut their tails.

Quantisation is symmetric, so one threshold says it all: a tensor's values are clipped to -t .. t. Only a
histogram per tensor is kept, whatever the number of pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from export.progress import steps
from export.runner import Feeds, Probe

BINS = 8192
LEVELS = 127
METHODS = ("mse", "percentile-99.999", "percentile-99.99", "entropy", "minmax")
SMALLEST = 1e-6
"""A tensor that is always 0 still needs a scale above 0."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often |x| fell in each of `BINS` equal parts of 0 .. peak."""

    counts: NDArray[np.float64]
    peak: float


def measure(model: ModelProto, tensors: Iterable[str], feeds: Sequence[Feeds]) -> dict[str, Histogram]:
    """Histograms of `tensors` over all `feeds`; the model runs twice, first for the peaks."""
    names = sorted(set(tensors))
    probe = Probe(model, names)
    peaks = dict.fromkeys(names, SMALLEST)
    for feed in steps(feeds, "peaks"):
        values = probe(feed)
        for name in names:
            peaks[name] = max(peaks[name], float(np.abs(values[name]).max(initial=0)))
    counts = {name: np.zeros(BINS) for name in names}
    for feed in steps(feeds, "histograms"):
        values = probe(feed)
        for name in names:
            counts[name] += _binned(values[name], peaks[name])
    return {name: Histogram(counts[name], peaks[name]) for name in names}


def thresholds(histograms: Mapping[str, Histogram], method: str) -> dict[str, float]:
    """t per tensor; ValueError for a method that is none of `METHODS`."""
    return {name: threshold(histogram, method) for name, histogram in histograms.items()}


def threshold(histogram: Histogram, method: str) -> float:
    if method == "minmax":
        return histogram.peak
    if method.startswith("percentile-"):
        return _percentile(histogram, float(method.removeprefix("percentile-")))
    if method == "mse":
        return _least(histogram, _squared_error)
    if method == "entropy":
        return _least(histogram, _divergence)
    raise ValueError(f"{method!r} is no way to find ranges: expected one of {', '.join(METHODS)}")


def _binned(values: NDArray[Any], peak: float) -> NDArray[np.float64]:
    index = np.minimum(np.abs(values).ravel() * (BINS / peak), BINS - 1).astype(np.int32)
    return np.bincount(index, minlength=BINS).astype(np.float64)


def _percentile(histogram: Histogram, percent: float) -> float:
    covered = np.cumsum(histogram.counts) / histogram.counts.sum()
    return float(histogram.peak * (np.searchsorted(covered, percent / 100) + 1) / BINS)


def _least(histogram: Histogram, error: Any) -> float:
    """The threshold, of fractions of the peak, with the least `error`."""
    fractions = np.geomspace(0.05, 1.0, 100)
    errors = [error(histogram, histogram.peak * fraction) for fraction in fractions]
    return float(histogram.peak * fractions[int(np.argmin(errors))])


def _squared_error(histogram: Histogram, limit: float) -> float:
    values = (np.arange(BINS) + 0.5) * histogram.peak / BINS
    scale = limit / LEVELS
    rounded = np.minimum(np.round(values / scale), LEVELS) * scale
    return float((histogram.counts * np.square(values - rounded)).sum())


def _divergence(histogram: Histogram, limit: float) -> float:
    """Kullback-Leibler divergence of the histogram cut at `limit` from its quantised form (Migacz 2017)."""
    kept = max(LEVELS, round(limit / histogram.peak * BINS))
    clipped = histogram.counts[:kept].copy()
    clipped[-1] += histogram.counts[kept:].sum()
    level = np.arange(kept) * LEVELS // kept
    filled = histogram.counts[:kept] > 0
    sums = np.bincount(level, histogram.counts[:kept], LEVELS)
    occupied = np.maximum(np.bincount(level, filled.astype(np.float64), LEVELS), 1)
    coarse = np.where(filled, (sums / occupied)[level], 0)
    p, q = clipped / clipped.sum(), coarse / max(coarse.sum(), 1)
    return float((p * np.log(np.maximum(p, 1e-12) / np.maximum(q, 1e-12)))[p > 0].sum())
