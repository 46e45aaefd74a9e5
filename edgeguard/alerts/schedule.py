"""When a rule may open alerts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edgeguard.errors import ConfigError

HOLIDAY = "holiday"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Period:
    """A daily span of local wall-clock time, from `start` until just before `end`.

    An `end` not after `start` lies on the next day: 22:00 to 06:00 is a night, 00:00 to 00:00 a day.
    """

    start: time
    end: time
    days: frozenset[str] = frozenset(DAYS)
    """Days on which it begins."""

    def __post_init__(self) -> None:
        if unknown := self.days - {*DAYS, HOLIDAY}:
            raise ConfigError(f"unknown day {sorted(unknown)[0]!r} in a schedule; use {', '.join(DAYS)}")

    def covers(self, local: datetime, is_holiday: Callable[[date], bool] = lambda _: False) -> bool:
        now, today = local.time(), local.date()
        begins_today = self._begins(today, is_holiday)
        if self.start < self.end:
            return begins_today and self.start <= now < self.end
        began_yesterday = self._begins(today - timedelta(days=1), is_holiday)
        return (begins_today and now >= self.start) or (began_yesterday and now < self.end)

    def _begins(self, day: date, is_holiday: Callable[[date], bool]) -> bool:
        """A holiday keeps its weekday: a period that guards on it goes on guarding."""
        return DAYS[day.weekday()] in self.days or (HOLIDAY in self.days and is_holiday(day))


class Schedule:
    """Periods in one time zone; the zone's summer time is followed.

    Wall-clock time decides: an hour that comes twice in autumn counts twice, one that spring skips never.
    """

    def __init__(self, periods: tuple[Period, ...], timezone: str, holidays: Collection[str] = ()) -> None:
        """`holidays` are `2026-12-24`, or `12-24` for every year."""
        try:
            self._zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigError(
                f"unknown time zone {timezone!r} in a schedule; use a name like 'Europe/Berlin' "
                "and install the tzdata package"
            ) from error
        self._periods = periods
        self._holidays = frozenset(holidays)

    def covers(self, utc_ns: int) -> bool:
        """Whether `utc_ns` (UTC since 1970) lies in one of them."""
        local = datetime.fromtimestamp(utc_ns // 1_000_000_000, self._zone)
        return any(period.covers(local, self._is_holiday) for period in self._periods)

    def _is_holiday(self, day: date) -> bool:
        return not self._holidays.isdisjoint({day.isoformat(), f"{day:%m-%d}"})
