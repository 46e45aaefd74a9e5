from __future__ import annotations

import pytest

from edgeguard.rules import Presence, ZoneEntered, ZoneLeft
from edgeguard.types import Observation, Phase, Tracks
from tests.support.tracks import tracks

RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


def walk(rule: ZoneEntered | ZoneLeft | Presence, *places: float, track_id: int = 7) -> list[Observation]:
    """One track at x = each of `places`, five frames a second."""
    return [seen for n, x in enumerate(places) for seen in rule.update(tracks(n / 5, (track_id, x, 0.8)))]


def test_entering_is_noticed_once_when_it_has_settled() -> None:
    rule = ZoneEntered("dock entered", "dock", RIGHT_HALF)
    seen = walk(rule, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9)
    assert [(o.kind, o.rule, o.zone, o.track_ids, o.label) for o in seen] == [
        ("zone_entered", "dock entered", "dock", (7,), "person")
    ]
    assert seen[0].pts_ns == round(3 / 5 * 1e9)
    assert seen[0].key == "7"


@pytest.mark.parametrize(
    ("places", "entered", "left"),
    [
        ((0.2, 0.6, 0.2, 0.6, 0.2), 0, 0),  # trembles on the border
        ((0.6, 0.6, 0.6), 1, 0),  # appears inside
        ((0.6, 0.6, 0.4, 0.4), 1, 1),  # appears inside and goes out
        ((0.6, 0.6, 0.4, 0.6, 0.6), 1, 0),  # one frame outside is no leaving
        ((0.6, 0.6, 0.4, 0.4, 0.6, 0.6), 2, 1),  # out and in again
        ((0.1, 0.2, 0.3), 0, 0),  # never there
    ],
)
def test_borders_have_hysteresis(places: tuple[float, ...], entered: int, left: int) -> None:
    assert len(walk(ZoneEntered("in", "dock", RIGHT_HALF), *places)) == entered
    assert len(walk(ZoneLeft("out", "dock", RIGHT_HALF), *places)) == left


def test_other_classes_do_not_count() -> None:
    rule = ZoneEntered("in", "dock", RIGHT_HALF, frozenset({"person"}))
    for n in range(5):
        assert rule.update(tracks(n / 5, (1, 0.7, 0.8), label="car")) == []


def lose_at(x: float, then: Tracks, rule: ZoneEntered | ZoneLeft | Presence) -> list[Observation]:
    walk(rule, x, x, x)
    return [*rule.update(tracks(0.8)), *rule.update(then)]


def test_a_lost_track_has_not_left_but_is_no_longer_present() -> None:
    later = tracks(10.0)
    assert lose_at(0.7, later, ZoneLeft("out", "dock", RIGHT_HALF)) == []
    ended = lose_at(0.7, later, Presence("dock", RIGHT_HALF))
    assert [(o.phase, o.track_ids, o.rule) for o in ended] == [(Phase.ENDED, (7,), None)]


def test_a_new_id_at_the_place_of_a_lost_one_is_the_same_person() -> None:
    rule = ZoneEntered("in", "dock", RIGHT_HALF)
    walk(rule, 0.7, 0.7, 0.7)
    assert rule.update(tracks(0.8)) == []
    assert [o for n in range(3) for o in rule.update(tracks(1.0 + n / 5, (8, 0.72, 0.8)))] == []


def test_who_stands_there_after_a_camera_was_away_came_in() -> None:
    """Nothing was updated meanwhile, and the first picture shows somebody at once."""
    rule = ZoneEntered("in", "dock", RIGHT_HALF)
    walk(rule, 0.7, 0.7, 0.7)
    assert [o.track_ids for n in range(3) for o in rule.update(tracks(600 + n / 5, (8, 0.7, 0.8)))] == [(8,)]


def test_who_hid_somebody_for_a_moment_came_in_and_the_other_one_stayed() -> None:
    rule = ZoneEntered("in", "dock", RIGHT_HALF)
    walk(rule, 0.7, 0.7, 0.7)
    frames = [tracks(0.6, (8, 0.72, 0.8))]
    frames += [tracks(0.8 + n / 5, (7, 0.7, 0.8), (8, 0.72, 0.8)) for n in range(4)]
    assert [o.track_ids for frame in frames for o in rule.update(frame)] == [(8,)]


def test_presence_is_told_every_second_under_the_name_it_began_with() -> None:
    rule = Presence("dock", RIGHT_HALF)
    frames = [tracks(n / 5, (7, 0.7, 0.8)) for n in range(12)]
    frames += [tracks(2.4 + n / 5, (8, 0.72, 0.8)) for n in range(6)]  # the tracker gives another id
    frames += [tracks(20.0)]
    said = [(o.phase, o.key) for frame in frames for o in rule.update(frame)]
    assert said[0] == (Phase.BEGAN, "7")
    assert said[-1] == (Phase.ENDED, "7")
    assert said[1:-1] == [(Phase.CONTINUES, "7")] * 3


def test_a_second_person_beside_the_first_is_another_one() -> None:
    rule = ZoneEntered("in", "dock", RIGHT_HALF)
    walk(rule, 0.7, 0.7, 0.7)
    seen = [o for n in range(3) for o in rule.update(tracks(0.6 + n / 5, (7, 0.7, 0.8), (8, 0.72, 0.8)))]
    assert [o.track_ids for o in seen] == [(8,)]


def test_feet_cut_off_by_the_picture_are_in_a_zone_that_reaches_its_edge() -> None:
    rule = ZoneEntered("in", "dock", RIGHT_HALF)
    assert [o for n in range(3) for o in rule.update(tracks(n / 5, (7, 0.7, 1.0)))]


def test_a_lost_id_that_comes_back_beside_its_heir_does_not_end_the_watch() -> None:
    rule = Presence("dock", RIGHT_HALF)
    walk(rule, 0.7, 0.7, 0.7)
    frames = [tracks(0.8 + n / 5, (8, 0.72, 0.8)) for n in range(3)]
    frames += [tracks(1.6 + n / 5, (7, 0.9, 0.8), (8, 0.72, 0.8)) for n in range(3)]
    frames += [tracks(2.4 + n / 5, (7, 0.3, 0.8), (8, 0.72, 0.8)) for n in range(3)]
    said = [(o.phase, o.track_ids) for frame in frames for o in rule.update(frame)]
    assert (Phase.ENDED, (7,)) in said
    assert said[-1] == (Phase.CONTINUES, (8,))
