"""What is told of a day once it is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, tzinfo

from edgeguard.coverage.book import Book
from edgeguard.coverage.days import bounds
from edgeguard.coverage.placing import Interval
from edgeguard.types import BlindTime, CoverageDay, SourceDay

MOST_GAPS = 1000
"""Of all sources together: so many fit into one message."""


def coverage_day(book: Book, intervals: Iterable[Interval], day: date, zone: tzinfo) -> CoverageDay | None:
    """The day as `book` and its `intervals` have it; None if they tell nothing of it."""
    begin_ns, end_ns = bounds(day, zone)
    begin_ns = max(begin_ns, book.known_from_ns)
    expected_s: dict[str, float] = {}
    for source, from_ns, to_ns in book.watched():
        within_s = (min(to_ns, end_ns) - max(from_ns, begin_ns)) / 1e9
        if within_s > 0:
            expected_s[source] = expected_s.get(source, 0.0) + within_s
    if not expected_s or begin_ns >= end_ns:
        return None
    gaps = [cut for one in intervals if (cut := _cut(one, begin_ns, end_ns)) and one.source in expected_s]
    most = max(1, MOST_GAPS // len(expected_s))
    sources = [
        _source_day(source, due_s, [one for one in gaps if one.source == source], most)
        for source, due_s in sorted(expected_s.items())
    ]
    return CoverageDay(day.isoformat(), str(zone), begin_ns, end_ns, tuple(sources))


def _cut(one: Interval, begin_ns: int, end_ns: int) -> Interval | None:
    from_ns, to_ns = max(one.from_utc_ns, begin_ns), min(one.to_utc_ns, end_ns)
    return Interval(one.source, one.cause, from_ns, to_ns) if to_ns > from_ns else None


def _source_day(source: str, expected_s: float, gaps: list[Interval], most: int) -> SourceDay:
    """Where there are too many gaps the longest are told."""
    longest = sorted(gaps, key=lambda one: one.lasted_s, reverse=True)[:most]
    told = sorted(longest, key=lambda one: one.from_utc_ns)
    return SourceDay(
        source,
        expected_s,
        min(sum(one.lasted_s for one in gaps), expected_s),
        tuple(BlindTime(one.source, one.cause, one.from_utc_ns, one.to_utc_ns) for one in told),
        len(gaps) - len(told),
    )
