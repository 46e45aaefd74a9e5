from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.rules import Headcount
from edgeguard.types import Counts, Polygon
from tests.support.tracks import tracks

LEFT: Polygon = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
LOW: Polygon = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))


def headcount() -> Headcount:
    return Headcount("gate", {"left": LEFT, "low": LOW})


def test_an_empty_picture_counts_nothing_but_names_its_zones() -> None:
    assert headcount().update(tracks(0)) == Counts("gate", {}, {}, {"left": {}, "low": {}})


def test_things_are_counted_by_class_and_by_the_zone_in_which_they_stand() -> None:
    count = headcount()
    count.update(tracks(0, (1, 0.2, 0.4), (2, 0.8, 0.9)))
    both = count.update(tracks(0.2, (3, 0.3, 0.8), label="car"))
    assert both.seen == {"car": 1, "person": 2}
    assert both.zones == {"left": {"car": 1, "person": 1}, "low": {"car": 1, "person": 1}}


def test_a_missed_frame_does_not_flicker_and_who_is_gone_is_gone() -> None:
    count = headcount()
    count.update(tracks(0, (1, 0.2, 0.4)))
    assert count.update(tracks(0.9)).seen == {"person": 1}
    assert count.update(tracks(1.1)).seen == {}


def test_a_thing_that_stays_stops_moving_and_moves_again_when_it_goes() -> None:
    count = headcount()
    for t_s in range(10):
        assert count.update(tracks(t_s, (1, 0.2, 0.4))).moving == {"person": 1}
    still = count.update(tracks(10, (1, 0.2, 0.4)))
    assert (still.seen, still.moving) == ({"person": 1}, {})
    assert count.update(tracks(11, (1, 0.28, 0.4))).moving == {"person": 1}


def test_jitter_is_no_movement_but_a_slow_walk_is() -> None:
    trembling, strolling = headcount(), headcount()
    for t_s in range(12):
        trembled = trembling.update(tracks(t_s, (1, 0.2 + 0.01 * (t_s % 2), 0.4)))
        strolled = strolling.update(tracks(t_s, (1, 0.2 + 0.01 * t_s, 0.4)))
    assert (trembled.moving, strolled.moving) == ({}, {"person": 1})


def test_one_who_changes_zones_is_counted_where_he_is_now() -> None:
    count = headcount()
    count.update(tracks(0, (1, 0.45, 0.4)))
    assert count.update(tracks(0.2, (1, 0.55, 0.4))).zones == {"left": {}, "low": {}}


def test_a_source_whose_time_jumps_back_begins_anew() -> None:
    count = headcount()
    count.update(tracks(100, (1, 0.2, 0.4)))
    assert count.update(tracks(0, (2, 0.2, 0.4))).seen == {"person": 1}


things = st.lists(
    st.tuples(st.integers(1, 9), st.floats(0.05, 0.95), st.floats(0.25, 0.99)),
    unique_by=lambda thing: thing[0],
    max_size=6,
)


@given(st.lists(st.tuples(st.floats(0, 0.6), things), min_size=1, max_size=30))
def test_no_more_move_or_stand_in_a_zone_than_are_seen(
    frames: list[tuple[float, list[tuple[int, float, float]]]],
) -> None:
    count, t_s = headcount(), 0.0
    for pause_s, seen in frames:
        t_s += pause_s
        counts = count.update(tracks(t_s, *seen))
        assert counts.seen.get("person", 0) >= len(seen)
        for part in (counts.moving, *counts.zones.values()):
            assert all(0 < number <= counts.seen[label] for label, number in part.items())


@pytest.mark.parametrize("linger_s", [0.0, 5.0])
def test_how_long_one_lingers_can_be_chosen(linger_s: float) -> None:
    count = Headcount("gate", {}, linger_s=linger_s)
    count.update(tracks(0, (1, 0.2, 0.4)))
    assert count.update(tracks(1)).seen == ({"person": 1} if linger_s else {})
