"""Sums by calendar day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

from edgeguard.coverage.placing import Interval


def day_of(utc_ns: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(utc_ns / 1e9, zone).date()


def bounds(day: date, zone: tzinfo) -> tuple[int, int]:
    """UTC (ns) at which the day begins and ends there; 23 to 25 hours apart."""
    begin, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return _ns(begin), _ns(end)


def blind_s(intervals: Iterable[Interval], day: date, zone: tzinfo) -> dict[str, dict[str, float]]:
    """Seconds of that day by source and cause."""
    begin_ns, end_ns = bounds(day, zone)
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in intervals:
        within_ns = min(one.to_utc_ns, end_ns) - max(one.from_utc_ns, begin_ns)
        if within_ns > 0:
            sums[one.source][one.cause] += within_ns / 1e9
    return {source: dict(causes) for source, causes in sums.items()}


def _ns(moment: datetime) -> int:
    return round(moment.timestamp()) * 1_000_000_000
