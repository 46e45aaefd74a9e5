"""Schedules of the configuration, made into what says whether a moment lies in them."""

from __future__ import annotations

from edgeguard.alerts.schedule import Period, Schedule
from edgeguard.config import Config


def schedule(config: Config, name: str | None) -> Schedule | None:
    """None for no name: at any time."""
    if name is None:
        return None
    periods = tuple(Period(one.start, one.end, one.weekdays) for one in config.schedules[name])
    return Schedule(periods, config.timezone, config.holidays)
