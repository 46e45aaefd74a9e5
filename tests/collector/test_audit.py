"""Gaps and silence, found in a real database and asked about on a link."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

import pytest

from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.link import Received
from edgeguard.alerts.parse import parse
from edgeguard.clock import ManualClock
from edgeguard.collector.audit import Audit
from edgeguard.collector.database import Database
from edgeguard.collector.tables import collector, device, gap
from edgeguard.collector.writing import Writer
from tests.support.alerts import IDENTITY, NEXT_RUN
from tests.support.centre import a_health, a_result, a_status, an_alert, arrivals, other_device, rows

REQUEST = "6f1c2d3e-0000-4000-8000-00000000000{}"
REPLAY = IDENTITY.topics.command("replay")


class Centre:
    """The inside of a collector whose clock moves when told to."""

    def __init__(self, database: Database, name: str = "centre-1", clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.link = FakeLink(lambda _event: None)
        self.link.connect()
        self._database = database
        self._writer = Writer(database)
        self._audit = Audit(database, self.link, name, self.clock, heartbeat_s=10, gap_s=30)
        self._audit.look(hears=True)

    def take(self, *received: Received) -> None:
        self._writer.store(arrivals(received), self.clock.utc_ns())

    def later(self, seconds: float, hears: bool = True) -> Sequence[tuple[object, ...]]:
        """Looks after a while; the gaps of which it then knows."""
        self.clock.advance(seconds)
        self._audit.look(hears)
        return sorted(rows(self._database, gap, "from_seq", "to_seq", "reason"), key=str)

    @property
    def asked(self) -> list[tuple[int, int]]:
        commands = [parse(one.body, "command") for one in self.link.publications if one.topic == REPLAY]
        return [(command["from_seq"], command["to_seq"]) for command in commands]

    @property
    def silent(self) -> list[str]:
        found = rows(self._database, device, "device", "silent_since_ns")
        return [name for name, since_ns in found if since_ns is not None]


@pytest.fixture
def centre(database: Database) -> Centre:
    return Centre(database)


def test_a_hole_is_found_asked_about_and_filled(centre: Centre) -> None:
    centre.take(a_status(), an_alert(1), an_alert(5))
    assert centre.later(29) == []
    centre.take(a_health())
    assert centre.later(2) == [(2, 4, None)]
    assert centre.asked == [(2, 4)]
    centre.take(an_alert(3))
    assert centre.later(1) == [(2, 2, None), (4, 4, None)]
    centre.take(an_alert(2), an_alert(4))
    assert centre.later(1) == []
    assert centre.asked == [(2, 4)], "not again so soon"


def test_it_asks_again_and_ever_more_seldom(centre: Centre) -> None:
    centre.take(a_status(), an_alert(2))
    times = []
    for second in range(1, 200):
        centre.take(a_health())
        before = len(centre.asked)
        centre.later(1)
        times += [second] * (len(centre.asked) - before)
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses == [10, 20, 40, 80]


def test_nobody_who_is_away_is_asked(centre: Centre) -> None:
    centre.take(a_status(), an_alert(2), a_status("offline"))
    centre.later(31)
    assert centre.asked == []
    centre.take(a_status(identity=NEXT_RUN, seq_high=2))
    centre.later(1)
    assert centre.asked == [(1, 1)]


def test_what_the_device_explains_is_kept_with_its_reason(centre: Centre) -> None:
    centre.take(a_status(), an_alert(10))
    assert centre.later(31) == [(1, 9, None)]
    centre.take(an_alert(4), a_result(REQUEST.format(1), (1, 2, "expired"), (5, 20, "shed")))
    assert centre.later(1) == [(1, 2, "expired"), (3, 3, None), (5, 9, "shed")]
    centre.take(a_result(REQUEST.format(2), (3, 3, "renumbered")))
    assert centre.later(1) == [(1, 2, "expired"), (3, 3, "renumbered"), (5, 9, "shed")]


def test_what_was_explained_before_it_was_missed_is_no_open_gap(centre: Centre) -> None:
    centre.take(a_status(), a_result(REQUEST.format(1), (1, 3, "shed")), an_alert(4))
    assert centre.later(31) == [(1, 3, "shed")]


def test_what_the_device_gave_out_is_missed_once_its_backlog_stands_still(centre: Centre) -> None:
    centre.take(a_status(seq_high=100))
    for seq in range(1, 41):
        centre.take(an_alert(seq), a_health(100))
        assert centre.later(1) == []
    assert centre.later(31) == [(41, 100, None)]


def test_each_device_has_its_own_row(centre: Centre) -> None:
    other = other_device("gate-2")
    centre.take(a_status(), a_status(identity=other), an_alert(1), an_alert(2, other))
    assert centre.later(31) == [(1, 1, None)]


def test_another_box_under_the_old_name_is_audited_from_its_start(centre: Centre) -> None:
    centre.take(a_status(), *(an_alert(seq) for seq in range(1, 6)))
    assert centre.later(31) == []
    centre.take(a_status(identity=NEXT_RUN, seq_high=1), an_alert(3, NEXT_RUN))
    assert centre.later(31) == [(1, 2, None)]


def test_the_largest_number_there_is_does_no_harm(centre: Centre) -> None:
    centre.take(a_status(), an_alert((1 << 63) - 1))
    assert centre.later(31) == [(1, (1 << 63) - 2, None)]
    assert centre.later(31) == [(1, (1 << 63) - 2, None)]


def test_silence_is_noticed_after_three_heartbeats_and_ends_with_a_word(centre: Centre) -> None:
    centre.take(a_status())
    centre.later(30)
    assert centre.silent == []
    centre.later(1)
    assert centre.silent == ["gate-1"]
    centre.take(a_health())
    assert centre.silent == []


def test_who_stopped_is_not_silent(centre: Centre) -> None:
    centre.take(a_status("stopped"))
    centre.later(100)
    assert centre.silent == []


def test_while_it_is_deaf_it_judges_nobody(centre: Centre) -> None:
    centre.take(a_status(), an_alert(2))
    assert centre.later(100, hears=False) == []
    assert centre.later(1) == []
    assert centre.later(29) == []
    assert (centre.silent, centre.asked) == ([], [])
    assert centre.later(2) == [(1, 1, None)]
    assert centre.silent == ["gate-1"]


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_a_step_of_its_own_clock_makes_nobody_silent_and_hides_no_silence(
    centre: Centre, step_s: int
) -> None:
    centre.take(a_status())
    centre.later(5)
    centre.clock.utc_offset_ns += step_s * 10**9
    centre.later(1)
    assert centre.silent == []
    centre.later(20)
    assert centre.silent == []
    centre.later(11)
    assert centre.silent == ["gate-1"]


def test_two_collectors_on_one_database_ask_once(database: Database) -> None:
    first = Centre(database)
    second = Centre(database, "centre-2", first.clock)
    first.take(a_status(), an_alert(1))
    second.take(an_alert(3))
    first.later(29)
    second.take(a_health())
    first.later(2)
    second.later(0)
    assert first.asked + second.asked == [(2, 2)]
    assert [name for (name,) in rows(database, collector, "name")] == ["centre-1", "centre-2"]


def test_who_asks_and_until_when(centre: Centre) -> None:
    centre.take(a_status(), an_alert(2))
    centre.later(29)
    centre.take(a_health())
    centre.later(2)
    (publication,) = centre.link.publications
    command = json.loads(publication.body)
    assert (command["by"], command["verb"]) == ("collector centre-1", "replay")
    assert command["expires_at"] > command["issued_at"]


def test_one_device_with_very_many_gaps_keeps_no_other_from_being_asked(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeguard.collector.gap_rows._MOST_GAPS", 10)
    other = other_device("gate-2")
    centre.take(a_status(), *(an_alert(seq) for seq in range(2, 60, 2)))
    centre.take(a_status(identity=other), an_alert(4, other))
    centre.later(29)
    centre.take(a_health(), a_health(identity=other))
    centre.later(2)
    topics = [one.topic for one in centre.link.publications]
    assert sorted(map(topics.count, set(topics))) == [1, 3]
