from __future__ import annotations

from dataclasses import replace

import pytest

from edgeguard.clock import ManualClock
from edgeguard.coverage import Interval
from edgeguard.runtime.nearby import Nearby
from edgeguard.types import Alert, AlertState, BlindTime, Joined
from tests.support.alerts import UTC_NS, alert, seen

S = 10**9


class Case:
    """A camera `dock`, 1,000 s after the beginning."""

    def __init__(self) -> None:
        self.clock = ManualClock(1000 * S, UTC_NS)
        self.nearby = Nearby(self.clock, 60.0)

    def show(self, *gaps: Interval) -> None:
        self.nearby.show(UTC_NS, gaps)

    def opened(self, at_s: float = 1000, **other: object) -> Alert:
        one = alert(opened_utc_ns=UTC_NS + round(at_s * S), **other)
        return self.nearby.attach(one, seen(at_s))

    def later(self, one: Alert, state: AlertState) -> Alert:
        return self.nearby.attach(replace(one, revision=one.revision + 1, state=state), None)


@pytest.fixture
def case() -> Case:
    return Case()


def gap(from_s: float, to_s: float, source: str = "dock", over: bool = True) -> Interval:
    return Interval(source, "stalled", UTC_NS + round(from_s * S), UTC_NS + round(to_s * S), over)


def blind(one: Alert) -> list[tuple[float, float | None]]:
    return [
        ((b.from_utc_ns - UTC_NS) / S, None if b.to_utc_ns is None else (b.to_utc_ns - UTC_NS) / S)
        for b in one.blind
    ]


def test_a_gap_that_was_over_shortly_before_belongs_to_an_alert(case: Case) -> None:
    case.show(gap(800, 939), gap(900, 941), gap(990, 995))
    one = case.opened()
    assert blind(one) == [(900, 941), (990, 995)]
    assert one.blind[0] == BlindTime("dock", "stalled", UTC_NS + 900 * S, UTC_NS + 941 * S)


def test_no_gap_is_no_gap(case: Case) -> None:
    assert case.opened().blind == ()


def test_other_sources_are_no_matter_unless_they_are_joined(case: Case) -> None:
    case.show(gap(990, 995, "yard"))
    assert case.opened().blind == ()
    assert blind(case.opened(joined=(Joined("sound", "yard", UTC_NS, 1.0),))) == [(990, 995)]


def test_a_gap_that_begins_while_the_alert_is_open_is_in_its_later_revisions(case: Case) -> None:
    one = case.opened()
    case.clock.advance(100)
    case.show(gap(1050, 1100, over=False))
    assert blind(case.later(one, AlertState.UPDATED)) == [(1050, None)]
    case.clock.advance(100)
    case.show(gap(1050, 1150))
    assert blind(case.later(one, AlertState.CLOSED)) == [(1050, 1150)]


def test_what_was_near_stays_near_however_long_the_alert_lasts(case: Case) -> None:
    case.show(gap(990, 995))
    one = case.opened()
    case.clock.advance(5000)
    assert blind(case.later(one, AlertState.UPDATED)) == [(990, 995)]


@pytest.mark.parametrize("step_s", [-86_400, 86_400])
def test_a_step_of_the_clock_neither_hides_a_gap_nor_makes_one(case: Case, step_s: int) -> None:
    case.show(gap(100, 200), gap(990, 995))
    one = case.opened()
    case.clock.utc_offset_ns += step_s * S
    last = case.later(one, AlertState.CLOSED)
    assert blind(last) == [(990 + step_s, 995 + step_s)], "told by the new clock"


def test_of_very_many_the_newest_are_told(case: Case) -> None:
    case.show(*(gap(950 + count, 950.5 + count) for count in range(30)))
    told = blind(case.opened())
    assert len(told) == 20
    assert told[-1] == (979, 979.5)


def told(opened_at: str, *joined: str) -> dict[str, object]:
    return {"source": "dock", "opened_at": opened_at, "joined": [{"source": name} for name in joined]}


def test_an_alert_of_an_earlier_run_has_the_gap_that_came_since(case: Case) -> None:
    """The clock began at 2027-01-15 08:00."""
    eight_twenty = "2027-01-15T08:20:00.250000Z"
    assert case.nearby.told(told(eight_twenty)) is None, "nothing is known yet"
    case.show(gap(1000, 1140.1), gap(1100, 1141), gap(1300, 1400), gap(1300, 1400, "yard"))
    found = case.nearby.told(told(eight_twenty))
    assert found is not None
    assert [(one.from_utc_ns - UTC_NS) // S for one in found] == [1100, 1300]
    both = case.nearby.told(told(eight_twenty, "yard"))
    assert both is not None
    assert [one.source for one in both] == ["dock", "dock", "yard"]
    assert case.nearby.told({"source": "hall", "opened_at": eight_twenty}) == ()
