"""What really happens in a scene: the boxes of its actors, and what a guard ought to notice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeguard.synth.actors import Actor
from edgeguard.synth.plan import DURATION_S, Plan
from edgeguard.synth.solids import Box
from edgeguard.types import Line, Point, Polygon

GRID_HZ = 50
LOITERING_S = 8.0
"""A person in a zone for as long loiters."""
CROWD_COUNT = 3
"""As many persons in a zone are a crowd."""


class TrueBox(NamedTuple):
    """One actor in one picture, as if nobody stood before it."""

    xyxy: Box
    """Pixels, cut off at the picture's border."""
    label: str
    """COCO class."""
    actor_id: int
    """From 1; another one in every round of the scene."""
    visible: float
    """Share of the actor's box inside the picture, more than 0."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens in the first round of a scene."""

    t_s: float
    kind: str
    """`zone_entered`, `zone_left`, `line_crossed`, `loitering`, `crowd`, `sound` or `speech`."""
    name: str
    """Of the zone, line or sound; of speech what is said."""
    label: str | None = None
    """Class of the actor."""
    actor_id: int | None = None
    direction: str | None = None
    """Of a crossing: `left_to_right` or `right_to_left`."""


def events(plan: Plan) -> tuple[Event, ...]:
    """All of them, by time."""
    times = np.arange(DURATION_S * GRID_HZ) / GRID_HZ
    found = [Event(cue.t_s, cue.voice.kind, cue.voice.name) for cue in plan.cues]
    crowds = {name: np.zeros(len(times), int) for name in plan.zones}
    for actor_id, actor in enumerate(plan.actors, 1):
        feet = _feet(plan, actor, times)
        for name, polygon in plan.zones.items():
            inside = np.array([point is not None and _contains(polygon, point) for point in feet])
            found += _stays(name, actor.body.label, actor_id, inside)
            crowds[name] += inside * (actor.body.label == "person")
        for name, line in plan.lines.items():
            found += _crossings(name, line, actor.body.label, actor_id, feet)
    for name, count in crowds.items():
        found += [Event(n / GRID_HZ, "crowd", name, "person") for n in _rises(count >= CROWD_COUNT)]
    return tuple(sorted(found, key=lambda event: (event.t_s, event.kind, event.name)))


def _feet(plan: Plan, actor: Actor, times: NDArray[np.float64]) -> list[Point | None]:
    """Where the actor stands, in relative picture coordinates."""
    steps = [actor.walk.at(t) for t in times.tolist()]
    return [plan.view.project(step.x_m, step.z_m) if step else None for step in steps]


def _stays(name: str, label: str, actor_id: int, inside: NDArray[np.bool_]) -> Iterator[Event]:
    for begin in _rises(inside):
        outside = np.flatnonzero(~inside[begin:])
        end = begin + int(outside[0]) if len(outside) else len(inside)
        yield Event(begin / GRID_HZ, "zone_entered", name, label, actor_id)
        if (end - begin) / GRID_HZ >= LOITERING_S:
            yield Event(round(begin / GRID_HZ + LOITERING_S, 2), "loitering", name, label, actor_id)
        if end < len(inside):
            yield Event(end / GRID_HZ, "zone_left", name, label, actor_id)


def _crossings(name: str, line: Line, label: str, actor_id: int, feet: list[Point | None]) -> Iterator[Event]:
    for n, (before, after) in enumerate(itertools.pairwise(feet), 1):
        if before is None or after is None:
            continue
        was, now = _side(line, before), _side(line, after)
        between = _side(Line(before, after), line.start) * _side(Line(before, after), line.end) < 0
        if (was < 0) != (now < 0) and between:
            direction = "left_to_right" if was < 0 else "right_to_left"
            yield Event(n / GRID_HZ, "line_crossed", name, label, actor_id, direction)


def _rises(flags: NDArray[np.bool_]) -> list[int]:
    """Where a run of True begins."""
    return [int(n) for n in np.flatnonzero(np.diff(flags.astype(int), prepend=0) > 0)]


def _side(line: Line, point: Point) -> float:
    """Negative on the left of the line, in a picture whose y points down."""
    (x0, y0), (x1, y1) = line.start, line.end
    return (x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0)


def _contains(polygon: Polygon, point: Point) -> bool:
    """Even-odd rule."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            inside = not inside
    return inside
