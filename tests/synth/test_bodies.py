"""People and cars keep their proportions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.synth import figure, solids, vehicle
from edgeguard.synth.figure import Look, Pose
from edgeguard.synth.solids import Stand

LEVEL = Stand(x_px=0.0, y_px=0.0, scale=100.0, elevation=0.0)
"""A hundred pixels a metre, seen from the side."""
HEADINGS = st.floats(-math.pi, math.pi)


@given(HEADINGS, st.floats(0, 20), st.floats(0, 1), st.floats(1.5, 2.0))
def test_a_person_stands_on_the_ground_and_has_his_height(
    heading: float, phase: float, stride: float, height_m: float
) -> None:
    look = Look((50, 50, 50), (50, 50, 50), height_m=height_m)
    left, top, right, bottom = solids.bounds(figure.limbs(look, Pose(heading, phase, stride)), LEVEL)
    assert bottom == pytest.approx(0.0, abs=4)
    assert -top == pytest.approx(100 * height_m, rel=0.06)
    assert 30 < right - left < 120


def test_legs_spread_when_walking() -> None:
    look = Look((50, 50, 50), (50, 50, 50))
    widths = [width(figure.limbs(look, Pose(0.0, math.pi / 2, stride))) for stride in (0.0, 1.0)]
    assert widths[1] > 1.5 * widths[0]


def width(limbs: list[solids.Limb]) -> float:
    left, _, right, _ = solids.bounds(limbs, LEVEL)
    return right - left


@pytest.mark.parametrize(
    ("heading", "metres"), [(0.0, 4.32), (math.pi, 4.32), (math.pi / 2, 1.74), (-math.pi / 2, 1.74)]
)
def test_a_car_is_as_long_and_wide_as_a_car(heading: float, metres: float) -> None:
    left, top, right, bottom = vehicle.bounds(vehicle.faces(vehicle.CAR, (90, 90, 90), heading), LEVEL)
    assert right - left == pytest.approx(100 * metres, abs=1)
    assert (top, bottom) == pytest.approx((-150, 0), abs=1)


@given(HEADINGS)
def test_every_face_of_a_car_looks_outward(heading: float) -> None:
    for face in vehicle.faces(vehicle.CAR, (90, 90, 90), heading)[1:]:
        outward = face.corners.mean(axis=0) - (0, 0.7, 0)
        assert face.normal @ face.normal == pytest.approx(1)
        assert outward @ face.normal > 0
