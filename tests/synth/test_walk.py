"""Walks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.synth.walk import CORNER_S, Walk

STROLL = Walk((2.0, -3.0, 8.0), (6.0, 3.0, 8.0), (10.0, 3.0, 14.0))


def test_nobody_before_and_after() -> None:
    assert STROLL.at(1.99) is None
    assert STROLL.at(10.01) is None


def test_begins_and_ends_at_its_first_and_last_point() -> None:
    first, last = STROLL.at(2.0), STROLL.at(10.0)
    assert first is not None
    assert last is not None
    assert (first.x_m, first.z_m) == pytest.approx((-3.0, 8.0), abs=1e-6)
    assert (last.x_m, last.z_m) == pytest.approx((3.0, 14.0), abs=0.05)


def test_speed_distance_and_heading_of_a_straight_stretch() -> None:
    step = STROLL.at(4.0)
    assert step is not None
    assert step.speed == pytest.approx(1.5)
    assert step.distance_m == pytest.approx(3.0, abs=0.05)
    assert step.heading == pytest.approx(0.0, abs=1e-6)


def test_turns_away_from_the_camera() -> None:
    step = STROLL.at(8.0)
    assert step is not None
    assert step.heading == pytest.approx(math.pi / 2, abs=1e-6)


def test_who_stands_looks_where_he_went() -> None:
    step = Walk((0.0, 0.0, 9.0), (2.0, -3.0, 9.0), (6.0, -3.0, 9.0)).at(5.0)
    assert step is not None
    assert step.speed == pytest.approx(0.0, abs=1e-9)
    assert math.cos(step.heading) == pytest.approx(-1.0)


def test_who_never_moves_looks_at_the_camera() -> None:
    step = Walk((0.0, 1.0, 9.0), (4.0, 1.0, 9.0)).at(2.0)
    assert step is not None
    assert step.heading == pytest.approx(-math.pi / 2)


@given(st.floats(2.0, 9.9), st.floats(0.0, 0.1))
def test_never_jumps(t_s: float, wait_s: float) -> None:
    before, after = STROLL.at(t_s), STROLL.at(t_s + wait_s)
    assert before is not None
    assert after is not None
    assert math.hypot(after.x_m - before.x_m, after.z_m - before.z_m) <= 1.6 * wait_s + 0.01
    assert abs(after.heading - before.heading) <= 2 * math.pi / CORNER_S * wait_s + 0.01
