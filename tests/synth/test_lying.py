"""A drawn person falls and lies: what the rule makes of the true boxes, and what it cannot tell."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edgeguard.rules import PersonDown
from edgeguard.synth.actors import Actor, Person
from edgeguard.synth.scene import Scene
from edgeguard.synth.scenes import SCENES
from edgeguard.synth.scenes.hall import VISITOR
from edgeguard.synth.solids import Limb, Vector
from edgeguard.synth.url import parse
from edgeguard.synth.walk import Step, Walk
from edgeguard.types import Observation, Phase, Tracks

EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
FPS = 5
FALLS_S, RISES_S, GONE_S = 4.0, 14.0, 18.0
SPOT = (-0.3, 6.0)
"""Right of the camera and away from it, m."""


class Lying(Person):
    """The same person on the ground, the head where the step leads."""

    def _limbs(self, step: Step) -> list[Limb]:
        way = (math.cos(step.heading), -math.sin(step.heading))
        return [
            limb._replace(start=_tipped(limb.start, way), end=_tipped(limb.end, way))
            for limb in super()._limbs(step)
        ]


def _tipped(at: Vector, way: tuple[float, float]) -> Vector:
    """What was above the feet lies along `way` (right, near), and what was in front is below."""
    right, up, near = at
    along = right * way[0] + near * way[1]
    return right + (up - along) * way[0], 0.2 - along, near + (up - along) * way[1]


class Turned(Walk):
    """Stays at one place, looking one way."""

    def __init__(self, begin_s: float, end_s: float, heading: float) -> None:
        super().__init__((begin_s, *SPOT), (end_s, *SPOT))
        self._way = heading

    def at(self, t_s: float) -> Step | None:
        step = super().at(t_s)
        return step and step._replace(heading=self._way)


def fall(heading: float) -> Scene:
    """Somebody comes down the hall, lies for ten seconds and gets up again."""
    actors = (
        Actor(Person(VISITOR), Walk((0.0, 0.4, 9.0), (FALLS_S, *SPOT))),
        Actor(Lying(VISITOR), Turned(FALLS_S, RISES_S, heading)),
        Actor(Person(VISITOR), Walk((RISES_S, *SPOT), (GONE_S, 0.4, 9.0))),
    )
    return Scene(replace(SCENES["hall"], actors=actors), parse("scene://hall", SCENES))


def told(scene: Scene) -> list[tuple[Phase, float]]:
    """What the rule says, and when, of the true boxes under one track id."""
    rule = PersonDown("fallen", "hall", EVERYWHERE, labels=frozenset({"person"}))
    said: list[Observation] = []
    for n in range(round((GONE_S + 2) * FPS)):
        said += rule.update(_tracks(scene, n / FPS))
    return [(one.phase, one.pts_ns / 1e9) for one in said if one.phase is not Phase.CONTINUES]


def _tracks(scene: Scene, t_s: float) -> Tracks:
    boxes = [box.xyxy for box in scene.truth(t_s)][-1:]
    n, at_ns = len(boxes), round(t_s * 1e9)
    return Tracks(
        source="hall",
        sequence=round(t_s * FPS),
        pts_ns=at_ns,
        utc_ns=at_ns,
        width=scene.url.width,
        height=scene.url.height,
        xyxy=np.array(boxes, np.float32).reshape(n, 4),
        confidence=np.full(n, 0.9, np.float32),
        class_id=np.zeros(n, np.int32),
        track_id=np.full(n, 7, np.int64),
        labels=("person",),
    )


@pytest.mark.parametrize("degrees", [0, 30, 60, 120, 150, 180, 210, 240, 300, 330])
def test_who_lies_across_the_view_is_down_until_getting_up(degrees: int) -> None:
    (began, began_s), (ended, ended_s) = told(fall(math.radians(degrees)))
    assert (began, ended) == (Phase.BEGAN, Phase.ENDED)
    assert began_s == pytest.approx(FALLS_S + 5, abs=0.5)
    assert ended_s == pytest.approx(RISES_S + 1, abs=0.5)


@pytest.mark.parametrize("degrees", [90, 270])
def test_who_lies_along_the_view_is_missed(degrees: int) -> None:
    """Seen from the feet or from the head a box is not wide: docs/accuracy.md says so."""
    assert told(fall(math.radians(degrees))) == []
