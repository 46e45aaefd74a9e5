"""Capsules as lit solids."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.synth.solids import Light, Limb, Stand, bounds, render

FROM_LEFT = Light(towards=(-1.0, 0.0, 0.0), ambient=0.4, direct=0.6, shadow=0.3)
STAND = Stand(x_px=50.5, y_px=80.5, scale=20.0, elevation=0.0)
BALL = Limb((0, 1, 0), (0, 1, 0), 0.5, 0.5, (100, 150, 200))


def test_a_ball_covers_its_disc() -> None:
    sprite = render([BALL], STAND, FROM_LEFT)
    assert sprite.alpha.sum() == pytest.approx(math.pi * 10**2, rel=0.02)
    assert bounds([BALL], STAND) == pytest.approx((40.5, 50.5, 60.5, 70.5))


def test_the_side_to_the_lamp_is_brighter() -> None:
    colour = render([BALL], STAND, FROM_LEFT).colour.sum(axis=2)
    middle = colour.shape[1] // 2
    assert colour[:, :middle].sum() > 1.2 * colour[:, middle:].sum()


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_nearer_hides_what_is_farther_in_any_order(order: int) -> None:
    far = Limb((0, 1, -2), (0, 1, -2), 0.5, 0.5, (0, 0, 255))
    sprite = render([BALL, far][::order], STAND, FROM_LEFT)
    inside = sprite.alpha > 0.99
    assert sprite.colour[inside][:, 0].min() > 30


@given(
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.floats(0.05, 0.5),
    st.floats(0.05, 0.5),
    st.floats(0, 1),
)
def test_nothing_is_drawn_outside_the_bounds(a: tuple, b: tuple, ra: float, rb: float, up: float) -> None:
    limb, stand = Limb(a, b, ra, rb, (255, 255, 255)), STAND._replace(elevation=up)
    left, top, right, bottom = bounds([limb], stand)
    sprite = render([limb], stand, FROM_LEFT)
    rows, columns = np.nonzero(sprite.alpha > 0.5)
    assert columns.min() + sprite.left >= left - 1
    assert columns.max() + sprite.left <= right + 1
    assert rows.min() + sprite.top >= top - 1
    assert rows.max() + sprite.top <= bottom + 1
