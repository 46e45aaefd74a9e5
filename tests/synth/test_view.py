"""The camera above the ground."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.synth.view import View

VIEW = View(height_m=4.0, pitch_deg=17.0, focal=1.4)


def test_the_axis_meets_the_middle_of_the_picture() -> None:
    assert VIEW.project(0.0, 4.0 / math.tan(math.radians(17.0))) == pytest.approx((0.5, 0.5))


def test_far_things_near_the_horizon() -> None:
    assert VIEW.project(0.0, 1e6)[1] == pytest.approx(VIEW.horizon(), abs=1e-4)


@given(st.integers(0, 639), st.integers(60, 359))
def test_the_ground_under_a_pixel_is_seen_in_that_pixel(column: int, row: int) -> None:
    x, z = VIEW.ground(640, 360)
    u, v = VIEW.project(float(x[row, column]), float(z[row]))
    assert (u * 640, v * 360) == pytest.approx((column + 0.5, row + 0.5), abs=0.05)


def test_no_ground_above_the_horizon() -> None:
    _, z = VIEW.ground(640, 360)
    rows = int(VIEW.horizon() * 360)
    assert np.isnan(z[: rows - 1]).all()
    assert not np.isnan(z[rows + 2 :]).any()


@given(st.floats(6.0, 20.0))
def test_a_metre_is_as_long_as_it_is_projected(z_m: float) -> None:
    (left, _), (right, _) = VIEW.project(-0.5, z_m), VIEW.project(0.5, z_m)
    assert (right - left) * 640 == pytest.approx(VIEW.pixels_per_metre(z_m, 360), rel=1e-6)
