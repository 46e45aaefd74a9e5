from __future__ import annotations

from collections.abc import Sequence as Several

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.fusion import Absent, Fuser, Pattern, Repeated, Sequence, Term, Together, Witnessed
from edgeguard.fusion.pattern import KEPT
from edgeguard.types import Observation, Phase

UTC_NS = 1_700_000_000_000_000_000
GLASS, PERSON, HELP = Term("sound", frozenset({"glass"})), Term("presence", zone="dock"), Term("keyword")


def seen(
    kind: str, t_s: float, source: str = "gate", phase: Phase = Phase.INSTANT, **more: object
) -> Observation:
    pts_ns = round(t_s * 1e9)
    return Observation(kind, source, pts_ns, UTC_NS + pts_ns, 0.8, phase, **more)  # type: ignore[arg-type]


def glass(t_s: float) -> Observation:
    return seen("sound", t_s, "hall", label="glass", key="glass")


def person(t_s: float, phase: Phase = Phase.CONTINUES, source: str = "gate") -> Observation:
    return seen("presence", t_s, source, phase, zone="dock", label="person", key="4", track_ids=(4,))


def shout(t_s: float) -> Observation:
    return seen("keyword", t_s, "hall", label="help", text="Help me")


def told(patterns: Several[Pattern], story: Several[Observation], until_s: float = 0) -> list[Observation]:
    fuser = Fuser([], patterns)
    fuser.tick(0, UTC_NS)
    found = [one for observation in story for one in fuser.update(observation)]
    if until_s:
        found += fuser.tick(round(until_s * 1e9), UTC_NS + round(until_s * 1e9))
    return [one for one in [*found, *fuser.finish()] if one.kind == "pattern"]


@pytest.mark.parametrize(
    ("story", "alerts"),
    [
        ([person(1), person(2), person(3), glass(4)], 1),  # stays there while it breaks
        ([glass(1), person(3, Phase.BEGAN)], 1),
        ([glass(1), person(4.5, Phase.BEGAN)], 0),  # too late
        ([person(1, Phase.BEGAN), person(2, Phase.ENDED), glass(4.5)], 0),  # left long before
        ([glass(1), person(1.5), person(2.5), person(3.5)], 1),  # one sound, one alert
        ([glass(1), glass(2), person(3)], 1),  # one alert tells of the newest
        ([glass(1)], 0),
        ([person(1, source="back"), glass(2)], 1),  # any camera
        ([shout(1), person(2)], 0),
    ],
)
def test_together(story: list[Observation], alerts: int) -> None:
    assert len(told([Together("both", [GLASS, PERSON], 3.0)], story)) == alerts


def test_an_alert_names_what_it_joined_and_belongs_to_the_camera() -> None:
    (found,) = told([Together("both", [GLASS, PERSON], 3.0)], [glass(1), person(3)])
    assert [(one.kind, one.source, one.label) for one in found.joined] == [
        ("sound", "hall", "glass"),
        ("presence", "gate", "person"),
    ]
    assert (found.source, found.zone, found.rule, found.label, found.track_ids) == (
        "gate",
        "dock",
        "both",
        "glass",
        (4,),
    )
    assert [(m.name, m.value, m.threshold) for m in found.measures] == [
        ("joined", 2, None),
        ("apart_s", 2.0, 3.0),
    ]


def test_a_sentence_is_matched_and_not_told() -> None:
    pattern = Together("both", [Term("utterance", text="package"), PERSON], 3.0)
    said = seen("utterance", 1, "hall", text="the package is in the back")
    (found,) = told([pattern], [said, person(2)])
    assert (found.text, [one.text for one in found.joined]) == (None, [None, None])


def test_two_witnesses_are_two() -> None:
    pattern = Together("two", [PERSON, PERSON], 3.0)
    assert not told([pattern], [person(1, Phase.BEGAN)])
    assert len(told([pattern], [person(1, Phase.BEGAN), person(2, Phase.BEGAN, "back")])) == 1


@pytest.mark.parametrize(
    ("story", "alerts"),
    [
        ([shout(10)], 1),  # a still picture
        ([person(8), shout(10)], 0),
        ([shout(10), person(12)], 0),
        ([person(2), shout(10), person(18)], 1),
    ],
)
def test_unless(story: list[Observation], alerts: int) -> None:
    assert len(told([Together("heard only", [HELP], 5.0, [PERSON])], story, until_s=30)) == alerts


@pytest.mark.parametrize(
    ("story", "alerts"),
    [
        ([glass(1), person(3), shout(5)], 1),
        ([person(1), glass(3), shout(5)], 0),  # another order
        ([glass(1), person(3), shout(30)], 0),  # too slow
        ([glass(1), glass(15), person(16), shout(20)], 1),  # begun anew
        ([glass(1), person(1), shout(5)], 0),  # not one after another
    ],
)
def test_sequence(story: list[Observation], alerts: int) -> None:
    assert len(told([Sequence("then", [GLASS, PERSON, HELP], 10.0)], story)) == alerts


def test_repeated_counts_what_happens_and_begins_anew() -> None:
    pattern = Repeated("again", GLASS, 3, 10.0)
    assert len(told([pattern], [glass(t) for t in (1, 2, 2, 3, 20, 31, 42, 43, 44)])) == 2


def test_absent_is_told_each_time_that_it_lasts_as_long_again() -> None:
    found = told([Absent("no guard", PERSON, 30.0, "gate")], [person(1), person(40), glass(105)])
    assert [one.pts_ns / 1e9 for one in found] == [31, 70, 100]
    assert [one.measures[0].value for one in found] == [30, 30, 60]


def test_absent_waits_for_its_schedule() -> None:
    night = UTC_NS // 60_000_000_000 * 60_000_000_000 + 120_000_000_000

    def armed(utc_ns: int) -> bool:
        return utc_ns >= night

    pattern = Absent("no guard", PERSON, 30.0, "gate", armed)
    found = told([pattern], [glass(t) for t in range(1, 200, 7)])
    assert found[0].utc_ns == night + 30_000_000_000


def test_absent_keeps_its_schedule_where_utc_was_set_back() -> None:
    """Nobody comes for two hours by the monotonic clock; the other, wrong by a year, is set after one."""
    year_ns, hour_ns = 365 * 86_400 * 10**9, 3600 * 10**9

    def armed(utc_ns: int) -> bool:
        return utc_ns < UTC_NS + year_ns // 2

    pattern = Absent("no guard", PERSON, 600.0, "gate", armed)
    found: list[Observation] = []
    for minute in range(121):
        now_ns = minute * hour_ns // 60
        found += pattern.advance(now_ns, UTC_NS + now_ns + (year_ns if minute < 60 else 0))
    assert [one.pts_ns // (hour_ns // 60) for one in found] == [69, 79, 89, 99, 109, 119]


@pytest.mark.parametrize("step_s", [-7200, 7200, 86_400 * 3])
def test_absent_waits_by_the_monotonic_clock(step_s: int) -> None:
    pattern = Absent("no guard", PERSON, 600.0, "gate")
    found: list[Observation] = []
    for minute in range(30):
        now_ns = minute * 60 * 10**9
        found += pattern.advance(now_ns, UTC_NS + now_ns + (step_s * 10**9 if minute >= 5 else 0))
    began = 5 if step_s > 86_400 else 0
    assert [one.pts_ns // (60 * 10**9) for one in found] == [began + 10, began + 20]


@pytest.mark.parametrize("tell_alone", [True, False])
def test_a_witness_before_or_after(tell_alone: bool) -> None:
    def entered(t_s: float) -> Observation:
        return seen("zone_entered", t_s, rule="night", zone="dock", track_ids=(4,))

    pattern = Witnessed("sure", Term("zone_entered", rule="night"), [GLASS], 5.0, tell_alone=tell_alone)
    story = [glass(1), entered(3), entered(20), glass(23), entered(40)]
    fuser = Fuser([], [pattern], held=frozenset({"night"}))
    passed = [one for observation in story for one in fuser.update(observation)]
    assert {one.rule for one in passed if one.kind == "zone_entered"} == {None}
    names = [one.rule for one in told([pattern], story, until_s=60)]
    assert names == ["sure", "sure"] + ["sure#alone"] * tell_alone


def test_the_lateness_of_a_source_is_taken_from_its_times() -> None:
    story = [person(1, Phase.BEGAN), glass(5)]
    pattern = Together("both", [GLASS, PERSON], 1.0)
    fuser = Fuser([], [pattern], offset_ns={"hall": 4_000_000_000}, settle_s=5)
    found = [one for observation in story for one in fuser.update(observation)] + fuser.finish()
    assert [one.rule for one in found if one.kind == "pattern"] == ["both"]


def patterns() -> list[Pattern]:
    return [
        Together("together", [GLASS, PERSON], 3.0),
        Together("unless", [HELP], 2.0, [PERSON]),
        Sequence("sequence", [GLASS, HELP], 6.0),
        Repeated("repeated", GLASS, 2, 4.0),
        Absent("absent", HELP, 5.0, "gate"),
        Witnessed("witnessed", HELP, [GLASS, PERSON], 2.0, tell_alone=True),
    ]


moments = st.lists(st.tuples(st.sampled_from([glass, shout, person]), st.integers(0, 400)), max_size=40)


@given(moments, st.data())
def test_within_the_time_to_settle_order_does_not_matter(
    story: list[tuple[object, int]], data: st.DataObject
) -> None:
    """Each comes late by less than the time to settle: the same is told as in the order of time."""
    observations = [make(tick / 10) for make, tick in dict.fromkeys(story)]  # type: ignore[operator]
    ordered = sorted(observations, key=lambda one: one.pts_ns)
    delays = {id(one): data.draw(st.integers(0, 990)) * 1_000_000 for one in ordered}
    shuffled = sorted(ordered, key=lambda one: one.pts_ns + delays[id(one)])
    late, in_time = told(patterns(), shuffled, 60), told(patterns(), ordered, 60)
    assert sorted(late, key=by_rule) == sorted(in_time, key=by_rule)


def by_rule(one: Observation) -> tuple[str | None, int]:
    """Rules know nothing of each other: the order of theirs at one time says nothing."""
    return one.rule, one.pts_ns


@given(moments)
def test_how_often_the_clock_ticks_does_not_matter(story: list[tuple[object, int]]) -> None:
    observations = sorted((make(t / 10) for make, t in story), key=lambda one: one.pts_ns)  # type: ignore[operator]
    fuser, found, now = Fuser([], patterns()), [], 0
    fuser.tick(0, UTC_NS)
    for one in [*observations, glass(60)]:
        while now + 250_000_000 < one.pts_ns:
            now += 250_000_000
            found += fuser.tick(now, UTC_NS + now)
        found += fuser.update(one)
    found = [one for one in [*found, *fuser.finish()] if one.kind == "pattern"]
    expected = told(patterns(), [*observations, glass(60)])
    assert sorted(found, key=by_rule) == sorted(expected, key=by_rule)


def test_what_comes_too_late_is_counted_and_still_joined() -> None:
    fuser = Fuser([], [Together("both", [GLASS, PERSON], 3.0)])
    found = [one for o in (person(10), person(12), glass(9.5)) for one in fuser.update(o)]
    assert fuser.late == 1
    assert [one.rule for one in found if one.kind == "pattern"] == ["both"]


def test_state_is_bounded() -> None:
    pattern = Together("both", [GLASS, HELP], 1e6)
    fuser = Fuser([], [pattern, *patterns()], settle_s=1e6)
    for t in range(5000):
        fuser.update(glass(t / 100))
    assert len(fuser._waiting) <= 1025
    assert fuser.crowded > 3000
    assert all(len(place) <= KEPT for place in pattern._places)


@pytest.mark.parametrize(
    "pattern",
    [
        Together("held", [HELP], 600.0, [PERSON]),
        Sequence("held", [GLASS, HELP], 600.0, [PERSON]),
        Witnessed("held", HELP, [PERSON], 600.0, tell_alone=True),
    ],
)
def test_what_is_held_when_the_guard_ends_is_not_lost(pattern: Pattern) -> None:
    assert len(told([pattern], [glass(1), shout(2)])) == 1


@pytest.mark.parametrize(
    "pattern",
    [Together("held", [HELP], 3600.0, [PERSON]), Witnessed("held", HELP, [PERSON], 3600.0, tell_alone=True)],
)
def test_what_has_no_room_to_wait_is_told_at_once(pattern: Pattern) -> None:
    assert len(told([pattern], [shout(t) for t in range(3 * KEPT)], until_s=9000)) == 3 * KEPT
