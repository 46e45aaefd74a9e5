"""Thresholds from histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import graph
from export.ranges import BINS, METHODS, Histogram, measure, threshold
from tests.export import networks


def histogram_of(values: np.ndarray) -> Histogram:
    peak = float(np.abs(values).max())
    index = np.minimum(np.abs(values) * (BINS / peak), BINS - 1).astype(int)
    return Histogram(np.bincount(index, minlength=BINS).astype(float), peak)


def rounded(values: np.ndarray, limit: float) -> np.ndarray:
    return np.clip(np.round(values / (limit / 127)), -127, 127) * (limit / 127)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(METHODS), st.floats(1e-3, 1e3))
def test_a_threshold_is_above_nothing_and_within_the_peak(seed: int, method: str, scale: float) -> None:
    values = np.random.default_rng(seed).standard_t(3, 5000) * scale
    found = threshold(histogram_of(values), method)
    assert 0 < found <= np.abs(values).max() * (1 + 1e-9)


def test_minmax_keeps_an_outlier_and_the_others_cut_it() -> None:
    values = np.append(np.random.default_rng(0).normal(size=200_000), 60.0)
    histogram = histogram_of(values)
    assert threshold(histogram, "minmax") == 60
    for method in ("mse", "entropy", "percentile-99.99"):
        assert threshold(histogram, method) < 30


def test_mse_is_the_best_of_all_by_its_own_measure() -> None:
    values = np.random.default_rng(1).standard_t(4, 100_000)
    errors = {
        method: np.square(values - rounded(values, threshold(histogram_of(values), method))).mean()
        for method in METHODS
    }
    assert errors["mse"] <= min(errors.values()) * 1.02


def test_a_percentile_covers_its_share() -> None:
    values = np.random.default_rng(2).normal(size=100_000)
    found = threshold(histogram_of(values), "percentile-99.99")
    assert (np.abs(values) <= found).mean() == pytest.approx(0.9999, abs=2e-5)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="minmax"):
        threshold(histogram_of(np.ones(3)), "median")


def test_measured_on_a_model_inputs_and_inner_tensors_alike() -> None:
    model = graph.normalise(networks.chain(), "chain")
    inner = model.graph.node[0].output[0]
    feeds = [{"x": np.full((1, 4, 8, 8), value, np.float32)} for value in (1, -3, 2)]
    found = measure(model, ["x", inner], feeds)
    assert found["x"].peak == 3
    assert found["x"].counts.sum() == 3 * 4 * 8 * 8
    assert found[inner].peak > 0


def test_a_tensor_that_is_always_zero_gets_a_scale_all_the_same() -> None:
    model = graph.normalise(networks.chain(), "chain")
    found = measure(model, ["x"], [{"x": np.zeros((1, 4, 8, 8), np.float32)}])
    assert all(threshold(found["x"], method) > 0 for method in METHODS)
