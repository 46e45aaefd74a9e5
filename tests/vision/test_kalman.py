"""The filters, seen through what they believe and how sure they are of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.vision.kalman import BoxFilters

BOX = np.array([[100.0, 50.0, 140.0, 150.0]]).T
SIZE = 70.0
ALL = np.arange(1)
intervals_s = st.floats(0.001, 5)


def filters_at(*boxes: np.ndarray) -> BoxFilters:
    filters = BoxFilters()
    for box in boxes:
        filters.add(box)
    return filters


def follow(filters: BoxFilters, speed: float, dt_s: float, steps: int) -> np.ndarray:
    """Show the filters a box that moves to the right; where it was seen last."""
    seen = BOX
    for step in range(1, steps + 1):
        seen = BOX + np.array([[speed * dt_s * step, 0] * 2]).T
        filters.predict(dt_s)
        filters.correct(ALL, seen)
    return seen


def doubt(filters: BoxFilters) -> float:
    """Standard deviation of a coordinate in px."""
    return float(filters.margin(sigmas=1, sizes=1e6)[0])


@given(intervals_s, intervals_s)
def test_two_short_intervals_are_one_long_one(first_s: float, second_s: float) -> None:
    twice, once = filters_at(BOX), filters_at(BOX)
    for filters in (twice, once):
        follow(filters, speed=50, dt_s=0.2, steps=3)
    twice.predict(first_s)
    twice.predict(second_s)
    once.predict(first_s + second_s)
    np.testing.assert_allclose(twice.corners, once.corners)
    assert doubt(twice) == pytest.approx(doubt(once))


@pytest.mark.parametrize("fps", [2, 5, 25])
@pytest.mark.parametrize("speed", [-60, 0, 150])
def test_learns_a_speed_in_pixels_per_second_at_any_frame_rate(fps: int, speed: float) -> None:
    filters = filters_at(BOX)
    seen = follow(filters, speed, 1 / fps, steps=3 * fps)
    filters.predict(0.5)
    np.testing.assert_allclose(filters.corners, seen + [[speed * 0.5], [0]] * 2, atol=6)


def test_doubt_shrinks_when_seen_and_grows_when_not() -> None:
    filters = filters_at(BOX)
    new = doubt(filters)
    follow(filters, speed=0, dt_s=0.04, steps=20)
    known = doubt(filters)
    filters.predict(1)
    assert known < new < doubt(filters)


def test_margin_is_capped_by_the_size() -> None:
    filters = filters_at(BOX)
    filters.predict(60)
    assert filters.margin(sigmas=2, sizes=0.3) == pytest.approx(0.3 * SIZE)


def test_a_large_box_is_doubted_in_proportion() -> None:
    filters = filters_at(BOX, 3 * BOX)
    margin = filters.margin(sigmas=2, sizes=1)
    assert margin[1] == pytest.approx(3 * margin[0])


def test_the_size_is_that_of_the_box_now() -> None:
    filters = filters_at(BOX)
    for _ in range(50):
        filters.predict(0.04)
        filters.correct(ALL, 2 * BOX)
    filters.predict(60)
    assert filters.margin(sigmas=2, sizes=0.3) == pytest.approx(0.3 * 2 * SIZE, rel=0.01)


def test_only_the_chosen_filters_are_corrected_and_kept() -> None:
    filters = filters_at(BOX, BOX + 300)
    filters.correct(np.array([1]), BOX + 310)
    np.testing.assert_array_equal(filters.corners[:, :1], BOX)
    assert (filters.corners[:, 1:] > BOX + 300).all()
    filters.keep(np.array([True, False]))
    np.testing.assert_array_equal(filters.corners, BOX)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-1e5, 1e5), st.booleans()), max_size=30))
def test_doubt_stays_a_number(story: list[tuple[float, float, bool]]) -> None:
    filters = filters_at(BOX)
    for dt_s, shift, seen in story:
        filters.predict(dt_s)
        if seen:
            filters.correct(ALL, BOX + shift)
        assert np.isfinite(filters.corners).all()
        assert 0 < doubt(filters) < np.inf
