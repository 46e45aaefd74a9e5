"""When a rule may open alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edgeguard.errors import ConfigError

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
        if unknown := self.days - set(DAYS):
            raise ConfigError(f"unknown day {sorted(unknown)[0]!r} in a schedule; use {', '.join(DAYS)}")

    def covers(self, local: datetime) -> bool:
        now = local.time()
        begins_today = DAYS[local.weekday()] in self.days
        if self.start < self.end:
            return begins_today and self.start <= now < self.end
        began_yesterday = DAYS[local.weekday() - 1] in self.days
        return (begins_today and now >= self.start) or (began_yesterday and now < self.end)


class Schedule:
    """Periods in one time zone; the zone's summer time is followed.

    Wall-clock time decides: an hour that comes twice in autumn counts twice, one that spring skips never.
    """

    def __init__(self, periods: tuple[Period, ...], timezone: str) -> None:
        try:
            self._zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigError(
                f"unknown time zone {timezone!r} in a schedule; use a name like 'Europe/Berlin' "
                "and install the tzdata package"
            ) from error
        self._periods = periods

    def covers(self, utc_ns: int) -> bool:
        """Whether `utc_ns` (UTC since 1970) lies in one of them."""
        local = datetime.fromtimestamp(utc_ns // 1_000_000_000, self._zone)
        return any(period.covers(local) for period in self._periods)
