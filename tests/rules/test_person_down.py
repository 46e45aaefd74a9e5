from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.rules import PersonDown
from edgeguard.types import Observation, Phase
from tests.support.tracks import Corners, boxed

RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
STANDING: Corners = (0.7, 0.4, 0.8, 0.8)
LYING: Corners = (0.6, 0.7, 0.9, 0.8)
"""Three times as wide as tall."""
CROUCHING: Corners = (0.7, 0.6, 0.85, 0.8)


def down(ratio: float = 1.2, for_s: float = 5.0) -> PersonDown:
    return PersonDown("fallen", "dock", RIGHT_HALF, ratio, for_s)


def show(
    rule: PersonDown, begin_s: float, end_s: float, box: Corners, track_id: int = 7
) -> list[Observation]:
    steps = range(round(begin_s * 5), round(end_s * 5))
    return [said for n in steps for said in rule.update(boxed(n / 5, (track_id, box)))]


def test_it_begins_continues_each_second_and_ends_once_the_person_is_up() -> None:
    rule = down()
    said = show(rule, 0, 3, STANDING) + show(rule, 3, 10, LYING) + show(rule, 10, 14, STANDING)
    assert [o.phase for o in said] == [Phase.BEGAN, Phase.CONTINUES, Phase.ENDED]
    assert [o.pts_ns / 1e9 for o in said] == [8.0, 9.0, 11.0]
    assert {(o.kind, o.rule, o.zone, o.key, o.label) for o in said} == {
        ("person_down", "fallen", "dock", "7", "person")
    }
    began, _, ended = ([(m.name, m.value, m.comparison, m.threshold) for m in o.measures] for o in said)
    assert began == [("for_s", 5.0, ">=", 5.0), ("ratio", 3.0, ">=", 1.2)]
    assert ended == [("for_s", 6.8, ">=", 5.0), ("ratio", 3.0, ">=", 1.2)]  # as it lay, not as it stands


@pytest.mark.parametrize("box", [STANDING, CROUCHING])
def test_who_stands_or_crouches_is_not_down(box: Corners) -> None:
    assert show(down(), 0, 30, box) == []


def test_a_short_fall_is_none() -> None:
    rule = down()
    assert show(rule, 0, 4, LYING) + show(rule, 4, 6, STANDING) + show(rule, 6, 10, LYING) == []


def test_a_box_that_looks_otherwise_for_a_moment_ends_nothing() -> None:
    rule = down()
    before = show(rule, 0, 4, LYING) + show(rule, 4, 4.8, CROUCHING)
    after = show(rule, 4.8, 8, LYING) + show(rule, 8, 8.8, CROUCHING) + show(rule, 8.8, 10, LYING)
    assert before == []
    assert [o.phase for o in after] == [Phase.BEGAN, *[Phase.CONTINUES] * 4]
    assert after[0].pts_ns == 5_200_000_000  # the second picture settles the stay


def test_a_track_that_is_not_seen_for_a_moment_ends_nothing_and_a_lost_one_does() -> None:
    rule = down(for_s=2.0)
    show(rule, 0, 3, LYING)
    assert rule.update(boxed(4.0)) == []
    (goes_on,) = show(rule, 5, 5.2, LYING)
    assert (goes_on.phase, goes_on.measures[0].value) == (Phase.CONTINUES, 4.8)
    (ended,) = [*rule.update(boxed(6.0)), *rule.update(boxed(9.0))]
    assert (ended.phase, ended.track_ids, ended.measures[0].value) == (Phase.ENDED, (7,), 4.8)


def test_one_fall_through_a_change_of_id() -> None:
    rule = down()
    assert show(rule, 0, 3, LYING) + rule.update(boxed(3.2)) == []
    (began,) = show(rule, 3.4, 6, LYING, track_id=9)
    assert (began.phase, began.key, began.track_ids) == (Phase.BEGAN, "7", (9,))


def test_who_walks_past_in_front_ends_nothing() -> None:
    """The one who lies is hidden for two pictures, and the tracker finds somebody new there."""
    rule = down()
    show(rule, 0, 6, LYING)
    said = show(rule, 6, 6.4, (0.7, 0.45, 0.8, 0.85), track_id=9)
    for n in range(32, 45):
        passing = (0.7 - n / 100, 0.45, 0.8 - n / 100, 0.85)  # out of the zone, to the left
        said += rule.update(boxed(n / 5, (7, LYING), (9, passing)))
    said += show(rule, 9, 14, LYING)
    assert {(o.phase, o.key, o.track_ids) for o in said} == {(Phase.CONTINUES, "7", (7,))}


def test_only_who_lies_in_the_zone_counts() -> None:
    rule = down()
    assert show(rule, 0, 10, (0.1, 0.7, 0.4, 0.8)) == []
    show(rule, 10, 16, LYING)
    (ended,) = show(rule, 16, 18, (0.1, 0.7, 0.4, 0.8))
    assert ended.phase is Phase.ENDED


@pytest.mark.parametrize(
    "box",
    [
        (0.6, 0.9, 0.9, 1.0),  # head and shoulders over the lower edge
        (0.6, 0.0, 0.9, 0.1),
        (0.7, 0.7, 1.0, 0.8),
        (0.6, 0.895, 0.9, 0.995),  # a detector's boxes end a little before the edge
    ],
)
def test_a_box_at_the_edge_of_the_picture_says_nothing(box: Corners) -> None:
    assert show(down(), 0, 30, box) == []


def test_who_is_cut_off_while_down_is_told_as_over() -> None:
    rule = down(for_s=2.0)
    show(rule, 0, 3, LYING)
    (ended,) = show(rule, 3, 8, (0.6, 0.9, 0.9, 1.0))
    assert (ended.phase, ended.pts_ns) == (Phase.ENDED, 4_000_000_000)


def test_other_classes_lie_all_the_time() -> None:
    rule = PersonDown("fallen", "dock", RIGHT_HALF, labels=frozenset({"person"}))
    assert [said for n in range(60) for said in rule.update(boxed(n / 5, (7, LYING), label="car"))] == []


def test_two_who_lie_are_two() -> None:
    rule = down(for_s=1.0)
    pair = [(7, LYING), (8, (0.55, 0.3, 0.8, 0.4))]
    said = [one for n in range(10) for one in rule.update(boxed(n / 5, *pair))]
    assert {(o.key, o.phase) for o in said} == {("7", Phase.BEGAN), ("8", Phase.BEGAN)}


shape = st.sampled_from([STANDING, CROUCHING, LYING, (0.6, 0.9, 0.9, 1.0), (0.1, 0.7, 0.4, 0.8)])
story = st.lists(st.tuples(st.floats(0.02, 4), st.dictionaries(st.integers(0, 2), shape)), max_size=40)


@given(story)
def test_what_is_told_is_above_its_limits_and_in_order(
    pictures: list[tuple[float, dict[int, Corners]]],
) -> None:
    rule, now_s, open_lives = down(for_s=1.0), 0.0, set()
    for gap_s, things in pictures:
        now_s += gap_s
        for said in rule.update(boxed(now_s, *sorted(things.items()))):
            assert (said.key in open_lives) == (said.phase is not Phase.BEGAN)
            (open_lives.discard if said.phase is Phase.ENDED else open_lives.add)(said.key)
            assert all(float(m.value) >= float(m.threshold or 0) for m in said.measures)


@given(story)
def test_nobody_who_stays_narrower_is_ever_down(pictures: list[tuple[float, dict[int, Corners]]]) -> None:
    rule, now_s = PersonDown("fallen", "dock", EVERYWHERE, 3.1, 0.1), 0.0
    for gap_s, things in pictures:
        now_s += gap_s
        assert rule.update(boxed(now_s, *sorted(things.items()))) == []


@given(st.floats(0.02, 2.5), st.floats(0.5, 20))
def test_it_begins_with_the_first_picture_after_its_time_at_any_rate(step_s: float, for_s: float) -> None:
    rule, began_s = down(for_s=for_s), []
    for n in range(int(for_s / step_s) + 5):
        began_s += [n * step_s for o in rule.update(boxed(n * step_s, (7, LYING))) if o.phase is Phase.BEGAN]
    (first_s,) = began_s
    assert for_s - 1e-6 <= first_s - step_s < for_s + step_s + 1e-6  # the second picture settles the stay


@given(story)
def test_a_mirrored_picture_tells_the_same(pictures: list[tuple[float, dict[int, Corners]]]) -> None:
    rules, now_s = [PersonDown("fallen", "dock", EVERYWHERE, for_s=1.0) for _ in range(2)], 0.0
    for gap_s, things in pictures:
        now_s += gap_s
        turned = {key: (1 - x1, y0, 1 - x0, y1) for key, (x0, y0, x1, y1) in things.items()}
        plain, mirrored = (
            [(o.key, o.phase, o.measures) for o in rule.update(boxed(now_s, *sorted(each.items())))]
            for rule, each in zip(rules, (things, turned), strict=True)
        )
        assert plain == mirrored
