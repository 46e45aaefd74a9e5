from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edgeguard.coverage import Book, Record, What
from edgeguard.runtime.dailies import Dailies
from edgeguard.types import CoverageDay

START = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
HOUR_NS = 3600 * 10**9


class Site:
    """A book that goes on, and somebody who takes days or does not."""

    def __init__(self, folder: Path) -> None:
        self.marker = folder / "told"
        self.book = Book()
        self.handed: list[CoverageDay] = []
        self.on_disk: str | None = None
        self.has_room = self.commits = True
        self.now_ns = 10**12
        self.utc_ns = round(START.timestamp()) * 10**9
        self._runs = 0
        self.start()

    def start(self) -> None:
        """A new run of the daemon."""
        self._runs += 1
        self.on_disk = None
        run = str(self._runs)
        self.book.take(
            Record(What.BEGIN, self.utc_ns, self.now_ns, run=run, boot="boot", sources=("gate",), lost={})
        )
        self.dailies = Dailies(self.marker, timezone.utc, self._hand, lambda: self.on_disk)
        self.dailies.open()

    def goes_on(self, hours: float, watching: bool = True) -> list[str]:
        """The days that were handed over meanwhile."""
        before = len(self.handed)
        self.now_ns += round(hours * HOUR_NS)
        self.utc_ns += round(hours * HOUR_NS)
        if watching:
            self.book.take(Record(What.BEAT, self.utc_ns, self.now_ns))
            for _ in range(40):
                self.dailies.tick(self.book, self.now_ns, self.utc_ns)
        return [day.day for day in self.handed[before:]]

    def _hand(self, day: CoverageDay) -> bool:
        if self.has_room:
            self.handed.append(day)
            self.on_disk = day.day if self.commits else self.on_disk
        return self.has_room


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_day_is_told_once_it_is_over_and_once_only(site: Site) -> None:
    assert site.goes_on(11.9) == []
    assert site.goes_on(0.11) == [], "what is noticed late belongs to it, too"
    assert site.goes_on(0.1) == ["2026-11-20"]
    assert site.goes_on(12) == []
    assert site.goes_on(12) == ["2026-11-21"]
    assert site.marker.read_text() == "2026-11-21\n"


def test_the_days_of_which_nobody_was_told_come_at_the_next_start(site: Site) -> None:
    site.goes_on(13)
    site.goes_on(72, watching=False)
    site.start()
    assert site.goes_on(0.1) == ["2026-11-21", "2026-11-22", "2026-11-23"]
    away = site.handed[-2].sources[0]
    assert (away.blind_s, away.expected_s) == (86_400, 86_400)
    site.start()
    assert site.goes_on(0.1) == []


def test_a_day_that_was_not_brought_to_the_disk_comes_again(site: Site) -> None:
    site.commits = False
    assert site.goes_on(13) == ["2026-11-20"]
    assert site.goes_on(0.5) == [], "it may still be on its way"
    assert not site.marker.exists()
    assert site.goes_on(0.6) == ["2026-11-20"]
    site.start()
    site.commits = True
    assert site.goes_on(0.1) == ["2026-11-20"]
    assert site.marker.exists()


def test_where_there_is_no_room_it_waits(site: Site) -> None:
    site.has_room = False
    assert site.goes_on(13) == site.goes_on(24) == []
    site.has_room = True
    assert site.goes_on(0.1) == ["2026-11-20", "2026-11-21"]


def test_after_a_long_absence_not_more_than_a_month_is_told(site: Site) -> None:
    site.goes_on(13)
    site.goes_on(24 * 100, watching=False)
    site.start()
    days = site.goes_on(0.1)
    assert len(days) == 31
    assert days[-1] == (START + timedelta(days=100)).date().isoformat()


def test_a_clock_that_was_ahead_and_is_set_right_keeps_no_day_from_being_told(site: Site) -> None:
    site.goes_on(13)
    site.utc_ns += 24 * 365 * HOUR_NS
    site.goes_on(0.1)
    site.goes_on(1)
    site.utc_ns -= 24 * 365 * HOUR_NS
    site.goes_on(0.1)
    assert site.goes_on(1) == ["2026-11-20"], "perhaps once more than needed"
    assert site.goes_on(24) == ["2026-11-21"]


def test_a_clock_that_is_ahead_for_a_moment_tells_no_day(site: Site) -> None:
    site.goes_on(13)
    site.start()
    site.goes_on(0.01)
    told = len(site.handed)
    site.utc_ns += 24 * 365 * HOUR_NS
    site.goes_on(0.1)
    site.utc_ns -= 24 * 365 * HOUR_NS
    site.goes_on(0.1)
    assert len(site.handed) == told
    assert site.goes_on(24) == ["2026-11-21"]


def test_a_box_without_a_battery_tells_no_day_again_at_each_start(site: Site) -> None:
    assert [*site.goes_on(13), *site.goes_on(24)] == ["2026-11-20", "2026-11-21"]
    right_ns = site.utc_ns
    for _ in range(2):
        site.utc_ns = site.now_ns = 30 * 10**9  # no time server was reached yet
        site.start()
        assert site.goes_on(0.01) == []
        site.utc_ns = right_ns
        assert site.goes_on(0.1) == site.goes_on(1) == []
    assert site.goes_on(24) == ["2026-11-22"]


@pytest.mark.parametrize("marker", ["", "soon", "2026-99-99\n"])
def test_a_marker_that_says_nothing_is_none(site: Site, marker: str) -> None:
    site.goes_on(61)
    site.marker.write_text(marker)
    site.start()
    assert site.goes_on(0.1) == ["2026-11-22"]


def test_a_disk_that_refuses_the_marker_costs_no_day(site: Site) -> None:
    site.marker.mkdir()
    assert site.goes_on(13) == ["2026-11-20"]
    assert site.goes_on(24) == ["2026-11-21"]
