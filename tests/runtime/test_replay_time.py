from __future__ import annotations

import pytest

from edgeguard.runtime.replay_time import ReplayTime
from edgeguard.types import Observation

S = 10**9
HOUR = 3600
BOOT_S = 1_700_000_000
"""When the box was started first."""


def noticed(up_s: float, utc_s: float) -> Observation:
    """After `up_s` of the monotonic clock, `utc_s` after the first start by UTC."""
    return Observation("sound", "hall", round(up_s * S), round((BOOT_S + utc_s) * S), 1.0)


def times(*story: tuple[float, float]) -> list[float]:
    """Seconds since the first start."""
    time = ReplayTime()
    return [round(time.at(noticed(*one)) / S - BOOT_S, 3) for one in story]


def test_a_clock_that_is_right_is_followed() -> None:
    assert times((1000, 1000), (1001, 1001), (5000, 5000.2), (4999, 4999.2)) == [1000, 1001, 5000.2, 4999.2]


@pytest.mark.parametrize("step_s", [-HOUR, -86_400 * 365, 600, 86_400 * 365 * 20])
def test_a_step_is_no_time_that_passed(step_s: float) -> None:
    story = [(1000.0, 1000.0), (1010.0, 1010.0 + step_s), (1030.0, 1030.0 + step_s)]
    assert times(*story) == [1000, 1010, 1030]


@pytest.mark.parametrize("step_s", [-HOUR, HOUR])
def test_what_comes_late_by_the_old_clock_has_its_time(step_s: float) -> None:
    story = [(1000.0, 1000.0), (1010.0, 1010.0 + step_s), (1009.5, 1009.5), (1011.0, 1011.0 + step_s)]
    assert times(*story) == [1000, 1010, 1009.5, 1011]


def test_a_clock_that_was_ahead_for_a_while_is_right_again() -> None:
    away = 86_400 * 365
    assert times((10, 10), (20, 20 + away), (30, 30 + away), (40, 40)) == [10, 20, 30, 40]


def test_after_a_long_pause_a_step_within_the_time_it_was_on_is_still_known() -> None:
    assert times((5 * HOUR, 5 * HOUR), (9 * HOUR, 8 * HOUR)) == [5 * HOUR, 9 * HOUR]
    assert times((50 * HOUR, 50 * HOUR), (52 * HOUR, 53 * HOUR)) == [50 * HOUR, 52 * HOUR]


def test_another_start_of_the_box_goes_on_by_utc() -> None:
    assert times((9 * HOUR, 9 * HOUR), (100, 10 * HOUR)) == [9 * HOUR, 10 * HOUR]
    assert times((HOUR, HOUR), (20 * HOUR, 30 * HOUR)) == [HOUR, 30 * HOUR], "it was on for longer by then"


def test_a_box_that_starts_without_knowing_the_time_does_not_go_back() -> None:
    forgot = -86_400 * 365 * 10
    story = [(9 * HOUR, 9 * HOUR), (100.0, forgot + 100.0), (110.0, forgot + 110.0), (130.0, 10 * HOUR)]
    assert times(*story) == [9 * HOUR, 9 * HOUR, 9 * HOUR + 10, 9 * HOUR + 30]
