from __future__ import annotations

from edgeguard.rules import Loitering
from edgeguard.types import Observation, Phase
from tests.support.tracks import tracks

RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


def stand(
    rule: Loitering, begin_s: float, end_s: float, track_id: int = 7, x: float = 0.8
) -> list[Observation]:
    steps = range(round(begin_s * 5), round(end_s * 5))
    return [seen for n in steps for seen in rule.update(tracks(n / 5, (track_id, x, 0.8)))]


def test_it_begins_at_the_dwell_time_continues_each_second_and_ends_outside() -> None:
    rule = Loitering("lingers", "dock", RIGHT_HALF, dwell_s=5.0)
    seen = stand(rule, 0, 8) + stand(rule, 8, 9, x=0.2)
    assert [o.phase for o in seen] == [Phase.BEGAN, Phase.CONTINUES, Phase.CONTINUES, Phase.ENDED]
    assert seen[0].measures[0].value == 5.0
    assert seen[0].measures[0].threshold == 5.0
    assert [o.measures[0].value for o in seen] == [5.0, 6.0, 7.0, 8.0]
    assert {o.key for o in seen} == {"7"}


def test_passing_through_is_not_loitering() -> None:
    rule = Loitering("lingers", "dock", RIGHT_HALF, dwell_s=5.0)
    assert stand(rule, 0, 4) + stand(rule, 4, 10, x=0.2) == []


def test_time_counts_from_coming_in_again() -> None:
    rule = Loitering("lingers", "dock", RIGHT_HALF, dwell_s=5.0)
    seen = stand(rule, 0, 4) + stand(rule, 4, 5, x=0.2) + stand(rule, 5, 9)
    assert seen == []


def test_it_ends_when_the_track_is_lost() -> None:
    rule = Loitering("lingers", "dock", RIGHT_HALF, dwell_s=2.0)
    stand(rule, 0, 3)
    (ended,) = [*rule.update(tracks(4.0)), *rule.update(tracks(9.0))]
    assert (ended.phase, ended.track_ids) == (Phase.ENDED, (7,))
    assert ended.measures[0].value == 2.6  # until last seen, not until forgotten


def test_one_life_through_a_change_of_id() -> None:
    rule = Loitering("lingers", "dock", RIGHT_HALF, dwell_s=4.0)
    first = stand(rule, 0, 3)
    rule.update(tracks(3.2))
    second = stand(rule, 3.4, 6, track_id=9)
    assert first == []
    assert second[0].phase is Phase.BEGAN
    assert {o.key for o in second} == {"7"}
    assert second[0].track_ids == (9,)


def test_nobody_stayed_while_the_camera_was_away() -> None:
    rule = Loitering("lingers", "dock", RIGHT_HALF, dwell_s=4.0)
    assert stand(rule, 0, 3) + stand(rule, 600, 603, track_id=9) == []
