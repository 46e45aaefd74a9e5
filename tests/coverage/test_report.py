from __future__ import annotations

from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from edgeguard.coverage import Book, Record, What, coverage_day
from edgeguard.coverage.report import MOST_GAPS
from edgeguard.types import CoverageDay

DAY = date(2026, 11, 27)
MIDNIGHT_NS = round(datetime(2026, 11, 27, tzinfo=timezone.utc).timestamp()) * 10**9
HOUR_NS = 3600 * 10**9
BOOT_NS = 10**15
"""Monotonic time at midnight."""


def begin(hours: float, *sources: str, run: str = "run", boot: str = "boot") -> Record:
    utc_ns, mono_ns = moment(hours)
    return Record(What.BEGIN, utc_ns, mono_ns, run=run, boot=boot, sources=sources)


def moment(hours: float) -> tuple[int, int]:
    after_ns = round(hours * HOUR_NS)
    return MIDNIGHT_NS + after_ns, BOOT_NS + after_ns


def record(what: What, hours: float, source: str = "", cause: str = "") -> Record:
    utc_ns, mono_ns = moment(hours)
    return Record(what, utc_ns, mono_ns, source, cause, mono_ns)


def told(*records: Record, zone: str = "UTC", day: date = DAY) -> CoverageDay | None:
    book = Book(records)
    return coverage_day(book, book.intervals(), day, ZoneInfo(zone))


def test_a_day_that_was_watched_all_the_time() -> None:
    day = told(begin(-5, "gate"), record(What.BEAT, 30))
    assert day is not None
    assert (day.day, day.time_zone) == ("2026-11-27", "UTC")
    assert (day.from_utc_ns, day.to_utc_ns) == (MIDNIGHT_NS, MIDNIGHT_NS + 24 * HOUR_NS)
    (gate,) = day.sources
    assert (gate.expected_s, gate.blind_s, gate.gaps, gate.gaps_left_out) == (86_400, 0, (), 0)


def test_gaps_are_cut_to_the_day() -> None:
    day = told(
        begin(-5, "gate"),
        record(What.LOST, -1, "gate", "stalled"),
        record(What.BACK, 1, "gate"),
        record(What.LOST, 23, "gate", "unreachable"),
        record(What.BEAT, 26),
    )
    assert day is not None
    (gate,) = day.sources
    assert gate.blind_s == 2 * 3600
    assert [(gap.cause, gap.from_utc_ns, gap.to_utc_ns) for gap in gate.gaps] == [
        ("stalled", MIDNIGHT_NS, MIDNIGHT_NS + HOUR_NS),
        ("unreachable", MIDNIGHT_NS + 23 * HOUR_NS, MIDNIGHT_NS + 24 * HOUR_NS),
    ]


def test_of_a_day_in_which_the_book_begins_the_rest_is_told() -> None:
    day = told(begin(6, "gate"), record(What.BEAT, 30))
    assert day is not None
    assert day.from_utc_ns == MIDNIGHT_NS + 6 * HOUR_NS
    assert day.sources[0].expected_s == 18 * 3600


def test_a_source_that_came_or_went_counts_for_as_long_as_it_was_there() -> None:
    day = told(
        begin(-5, "gate", "old"),
        record(What.STOP, 6),
        begin(7, "gate", "new", run="next"),
        record(What.BEAT, 30),
    )
    assert day is not None
    seconds = {one.source: (one.expected_s / 3600, one.blind_s / 3600) for one in day.sources}
    assert seconds == {"gate": (24, 1), "new": (17, 0), "old": (6, 0)}
    assert [gap.cause for gap in day.sources[0].gaps] == ["restarted"]


@pytest.mark.parametrize("day", [date(2026, 11, 25), date(2026, 11, 29)])
def test_nothing_is_said_of_a_day_of_which_nothing_is_known(day: date) -> None:
    assert told(begin(-5, "gate"), record(What.BEAT, 30), day=day) is None
    assert told(day=day) is None


def test_what_was_forgotten_is_not_said_to_have_been_watched() -> None:
    book = Book([begin(-50, "gate"), record(What.BEAT, 30)])
    book.forget_before(MIDNIGHT_NS + 12 * HOUR_NS)
    day = coverage_day(book, book.intervals(), DAY, ZoneInfo("UTC"))
    assert day is not None
    assert day.sources[0].expected_s == 12 * 3600
    assert coverage_day(book, book.intervals(), date(2026, 11, 26), ZoneInfo("UTC")) is None


def test_a_day_of_the_site_has_its_own_length() -> None:
    day = told(begin(-900, "gate"), record(What.BEAT, 30), zone="Europe/Berlin", day=date(2026, 10, 25))
    assert day is not None
    assert day.sources[0].expected_s == 25 * 3600, "summer time ends"


def test_of_too_many_gaps_the_longest_are_told_and_all_are_summed() -> None:
    records = [begin(0, "gate")]
    for count in range(MOST_GAPS + 5):
        hour = count * 0.02
        records.append(record(What.LOST, hour, "gate", "stalled"))
        records.append(record(What.BACK, hour + (0.01 if count else 0.015), "gate"))
    day = told(*records, record(What.BEAT, 30))
    assert day is not None
    (gate,) = day.sources
    assert (len(gate.gaps), gate.gaps_left_out) == (MOST_GAPS, 5)
    assert gate.gaps[0].from_utc_ns == MIDNIGHT_NS, "the longest is among them"
    assert gate.blind_s == pytest.approx((0.015 + (MOST_GAPS + 4) * 0.01) * 3600, abs=0.1)


def test_sources_that_come_and_go_while_it_runs_are_told_for_as_long_as_they_were_watched() -> None:
    records = (
        begin(-5, "gate", "old"),
        begin(6, "gate", "new"),
        record(What.LOST, 8, "new", "unreachable"),
        record(What.BEAT, 23),
        begin(23, "gate", "new", run="next"),
        record(What.LOST, 23, "new", "unreachable"),
        record(What.BEAT, 50),
    )
    first, second = told(*records), told(*records, day=date(2026, 11, 28))
    assert first is not None
    assert second is not None
    days = [{one.source: (one.expected_s, one.blind_s) for one in day.sources} for day in (first, second)]
    assert days[0] == {"gate": (86_400, 0), "old": (6 * 3600, 0), "new": (18 * 3600, 16 * 3600)}
    assert days[1] == {"gate": (86_400, 0), "new": (86_400, 86_400)}
