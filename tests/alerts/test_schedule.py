from __future__ import annotations

from datetime import datetime, time, timezone
from zoneinfo import ZoneInfo

import pytest

from edgeguard.alerts.schedule import DAYS, Period, Schedule
from edgeguard.errors import ConfigError

BERLIN = "Europe/Berlin"
NIGHT = Period(time(22), time(6))
WEEKEND_NIGHT = Period(time(22), time(6), frozenset({"friday", "saturday"}))
OFFICE = Period(time(9), time(17), frozenset(DAYS[:5]))


def utc_ns(text: str, zone: str = BERLIN, fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(local.timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("period", "local", "covered"),
    [
        (OFFICE, "2026-05-04T09:00", True),  # a Monday
        (OFFICE, "2026-05-04T08:59", False),
        (OFFICE, "2026-05-04T17:00", False),
        (OFFICE, "2026-05-09T12:00", False),  # Saturday
        (NIGHT, "2026-05-04T22:00", True),
        (NIGHT, "2026-05-04T03:00", True),
        (NIGHT, "2026-05-04T06:00", False),
        (WEEKEND_NIGHT, "2026-05-08T23:00", True),  # Friday
        (WEEKEND_NIGHT, "2026-05-08T03:00", False),  # the night of Thursday
        (WEEKEND_NIGHT, "2026-05-10T05:59", True),  # Sunday, the night of Saturday
        (WEEKEND_NIGHT, "2026-05-10T23:00", False),
        (Period(time(0), time(0), frozenset({"monday"})), "2026-05-04T23:59", True),
        (Period(time(0), time(0), frozenset({"monday"})), "2026-05-05T00:00", False),
        (Period(time(8), time(8), frozenset({"monday"})), "2026-05-05T07:59", True),
    ],
)
def test_periods_in_local_time(period: Period, local: str, covered: bool) -> None:
    assert Schedule((period,), BERLIN).covers(utc_ns(local)) is covered


@pytest.mark.parametrize("day", ["2026-01-15", "2026-07-15"])
def test_summer_time_moves_the_night(day: str) -> None:
    schedule = Schedule((NIGHT,), BERLIN)
    assert schedule.covers(utc_ns(f"{day}T22:00"))
    assert not schedule.covers(utc_ns(f"{day}T22:00") - 1_000_000_000)
    assert not schedule.covers(utc_ns(f"{day}T06:00"))


def test_the_hour_that_comes_twice_counts_twice_and_the_skipped_one_never() -> None:
    schedule = Schedule((Period(time(2), time(3)),), BERLIN)
    assert schedule.covers(utc_ns("2026-10-25T02:30"))
    assert schedule.covers(utc_ns("2026-10-25T02:30", fold=1))
    midnight = int(datetime(2026, 3, 29, tzinfo=timezone.utc).timestamp()) * 10**9
    assert not any(schedule.covers(midnight + minute * 60 * 10**9) for minute in range(24 * 60))


def test_any_period_will_do_and_none_covers_nothing() -> None:
    both = Schedule((NIGHT, OFFICE), BERLIN)
    assert both.covers(utc_ns("2026-05-04T12:00"))
    assert both.covers(utc_ns("2026-05-04T23:00"))
    assert not both.covers(utc_ns("2026-05-04T20:00"))
    assert not Schedule((), BERLIN).covers(utc_ns("2026-05-04T12:00"))


@pytest.mark.parametrize("name", ["Europe/Atlantis", "../etc/passwd", ""])
def test_an_unknown_time_zone_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match="time zone"):
        Schedule((NIGHT,), name)


def test_an_unknown_day_is_named() -> None:
    with pytest.raises(ConfigError, match="'someday'"):
        Period(time(1), time(2), frozenset({"someday"}))


@pytest.mark.parametrize(
    ("local", "covered"),
    [
        ("2026-12-25T12:00", True),
        ("2026-12-26T03:00", True),  # the holiday's night
        ("2026-12-26T12:00", False),
        ("2026-01-01T12:00", True),  # every year
        ("2025-12-25T12:00", False),  # of another year
    ],
)
def test_holidays_hold_beside_their_weekday(local: str, covered: bool) -> None:
    holiday = Period(time(8), time(6), frozenset({"holiday"}))
    schedule = Schedule((holiday,), BERLIN, ["2026-12-25", "01-01"])
    assert schedule.covers(utc_ns(local)) is covered


def test_a_holiday_keeps_its_weekday() -> None:
    friday = Schedule((Period(time(0), time(0), frozenset({"friday"})),), BERLIN, ["2026-12-25"])
    assert friday.covers(utc_ns("2026-12-25T12:00"))
