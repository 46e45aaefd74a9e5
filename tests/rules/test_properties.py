"""What no rule may do, whatever the tracks do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.rules import Crowd, LineCrossed, Loitering, PersonDown, Presence, Rule, ZoneEntered, ZoneLeft
from edgeguard.types import Line, Phase
from tests.support.tracks import tracks

ZONE = ((0.3, 0.2), (0.8, 0.3), (0.7, 0.9), (0.2, 0.8))
LINE = Line((0.5, 0.9), (0.5, 0.1))
RULES: dict[str, Callable[[], Rule]] = {
    "zone_entered": lambda: ZoneEntered("r", "z", ZONE),
    "zone_left": lambda: ZoneLeft("r", "z", ZONE),
    "presence": lambda: Presence("z", ZONE),
    "line_crossed": lambda: LineCrossed("r", "l", LINE),
    "loitering": lambda: Loitering("r", "z", ZONE, dwell_s=1.0),
    "crowd": lambda: Crowd("r", "z", ZONE, count=2, hold_s=0.5),
    "person_down": lambda: PersonDown("r", "z", ZONE, ratio=0.4, for_s=1.0),
}
place = st.floats(0, 1, allow_nan=False)
picture = st.dictionaries(st.integers(0, 4), st.tuples(place, place), max_size=4)


@pytest.mark.parametrize("name", RULES)
@given(pictures=st.lists(st.tuples(st.floats(0.01, 5), picture), max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_life_begins_goes_on_and_ends_in_that_order(
    name: str, pictures: list[tuple[float, dict[int, tuple[float, float]]]]
) -> None:
    rule = RULES[name]()
    open_lives: set[str] = set()
    now_s = 0.0
    for gap_s, things in pictures:
        now_s += gap_s
        for seen in rule.update(tracks(now_s, *((k, x, y) for k, (x, y) in sorted(things.items())))):
            assert seen.kind == name
            assert seen.pts_ns == round(now_s * 1e9)
            assert 0.0 <= seen.confidence <= 1.0
            if seen.phase is Phase.BEGAN:
                assert seen.key not in open_lives
                open_lives.add(seen.key)
            elif seen.phase is Phase.CONTINUES:
                assert seen.key in open_lives
            elif seen.phase is Phase.ENDED:
                open_lives.remove(seen.key)
