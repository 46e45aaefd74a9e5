from __future__ import annotations

from edgeguard.rules import Crowd
from edgeguard.types import Observation, Phase
from tests.support.tracks import tracks

EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def gather(rule: Crowd, begin_s: float, end_s: float, people: int) -> list[Observation]:
    things = [(n, 0.1 + 0.2 * n, 0.8) for n in range(people)]
    steps = range(round(begin_s * 5), round(end_s * 5))
    return [seen for n in steps for seen in rule.update(tracks(n / 5, *things))]


def test_a_crowd_begins_after_it_held_and_ends_after_it_dispersed() -> None:
    rule = Crowd("too many", "hall", EVERYWHERE, count=3, hold_s=1.0)
    assert gather(rule, 0, 2, people=2) == []
    seen = gather(rule, 2, 5, people=3)
    assert seen[0].phase is Phase.BEGAN
    assert seen[0].measures[0].value == 3
    assert seen[0].track_ids == (0, 1, 2)
    assert {o.phase for o in seen[1:]} == {Phase.CONTINUES}
    ended = [o for o in gather(rule, 5, 12, people=1) if o.phase is Phase.ENDED]
    assert len(ended) == 1
    assert ended[0].key == "hall"


def test_a_moment_is_no_crowd() -> None:
    rule = Crowd("too many", "hall", EVERYWHERE, count=3, hold_s=3.0)
    assert gather(rule, 0, 1, people=3) + gather(rule, 1, 8, people=1) == []
