from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.capture.source import RateGate


@pytest.mark.parametrize(
    ("source_fps", "wanted_fps", "picked"),
    [(30, 5, 50), (12.5, 5, 50), (25, 10, 100), (5, 5, 50), (4, 5, 40), (29.97, 5, 50), (10, 2.5, 25)],
)
def test_the_wanted_rate_is_kept(source_fps: float, wanted_fps: float, picked: int) -> None:
    gate = RateGate(wanted_fps)
    passed = sum(gate.passes(round(n * 1e9 / source_fps)) for n in range(round(10 * source_fps)))
    assert abs(passed - picked) <= 1


def test_it_starts_again_where_time_jumps_to() -> None:
    gate = RateGate(5)
    assert gate.passes(10_000_000_000)
    assert gate.passes(0)
    assert not gate.passes(33_000_000)
    assert gate.passes(3_600_000_000_000)


@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_any_order_of_times_is_survived(times: list[int]) -> None:
    gate = RateGate(5)
    passed = [gate.passes(time) for time in times]
    assert passed[0]


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="fps"):
        RateGate(0)
