"""The rules on what one camera sees, as the configuration asks for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeguard.runtime.assembly.watching import rules_of
from edgeguard.types import Phase
from tests.config.trees import built, rule
from tests.support.tracks import boxed

LYING = (0.3, 0.35, 0.5, 0.42)
"""Relative; its lower middle is in the zone."""


@pytest.mark.parametrize(("keys", "phases"), [({}, [Phase.BEGAN]), ({"ratio": 3.0}, []), ({"for_s": 7}, [])])
def test_a_person_down_by_its_own_limits(keys: dict[str, float], phases: list[Phase]) -> None:
    (down,) = rules_of(built(rule(kind="person_down", **keys)), "gate", ("person", "car"))
    assert [said.phase for n in range(30) for said in down.update(boxed(n / 5, (7, LYING)))] == phases


def test_only_a_detector_that_knows_persons_can_tell_that_one_is_down() -> None:
    """What moves, or a car, may well be wide."""
    config = built(rule(kind="person_down"))
    (by_motion,) = rules_of(config, "gate", ("motion",))
    (by_network,) = rules_of(config, "gate", ("person", "car"))
    for n in range(60):
        wide = boxed(n / 5, (7, LYING), label="car")
        assert by_network.update(wide) == []
        assert by_motion.update(replace(wide, class_id=wide.class_id * 0, labels=("motion",))) == []
