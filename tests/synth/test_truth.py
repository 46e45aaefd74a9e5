"""What happens in the scenes."""

from __future__ import annotations

import pytest

from edgeguard.synth import Event, Scene
from edgeguard.synth.plan import DURATION_S
from edgeguard.synth.scenes import SCENES
from edgeguard.synth.truth import CROWD_COUNT, LOITERING_S
from edgeguard.types import Point, Polygon

ROUNDING_S = 0.6
"""Legs swing: a box's bottom centre runs ahead of the actor or lags behind him."""


@pytest.fixture(scope="module", params=sorted(SCENES))
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene.open(f"scene://{request.param}")


def story(name: str) -> list[tuple[float, str, str]]:
    return [(round(e.t_s), e.kind, e.name) for e in Scene.open(f"scene://{name}").events]


def test_the_yards_story() -> None:
    assert story("yard") == [
        (6, "line_crossed", "gate"),
        (9, "zone_entered", "restricted"),
        (17, "loitering", "restricted"),
        (21, "sound", "glass"),
        (27, "speech", "help me"),
        (30, "speech", "call the police"),
        (30, "zone_left", "restricted"),
        (40, "line_crossed", "gate"),
    ]


def test_the_docks_story() -> None:
    kinds = [kind for _, kind, _ in story("dock")]
    assert kinds[:3] == ["sound", "line_crossed", "zone_entered"]
    assert kinds.count("crowd") == 1
    assert kinds.count("zone_entered") == kinds.count("zone_left") == 4


def test_the_halls_story() -> None:
    sounds = [(t, name) for t, kind, name in story("hall") if kind == "sound"]
    assert sounds == [(21, "glass"), (30, "smoke_alarm")]


def test_the_drills_story() -> None:
    story = [(event.kind, event.name) for event in Scene.open("scene://drill").events]
    assert story == [
        ("zone_entered", "restricted"),
        ("sound", "glass"),
        ("speech", "help me"),
        ("zone_left", "restricted"),
    ]


def test_the_two_crossings_of_the_gate_go_opposite_ways() -> None:
    directions = [e.direction for e in Scene.open("scene://yard").events if e.kind == "line_crossed"]
    assert directions == ["left_to_right", "right_to_left"]


def test_glass_breaks_while_somebody_is_in_the_restricted_zone() -> None:
    events = {event.kind: event.t_s for event in Scene.open("scene://yard").events}
    assert events["zone_entered"] + 5 < events["sound"] < events["zone_left"] - 5
    assert [e.t_s for e in Scene.open("scene://hall").events if e.name == "glass"] == [events["sound"]]


def test_zones_and_lines_lie_inside_the_picture(scene: Scene) -> None:
    corners = [corner for polygon in scene.zones.values() for corner in polygon]
    corners += [end for line in scene.lines.values() for end in (line.start, line.end)]
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in corners)


def test_events_come_in_order_and_within_the_round(scene: Scene) -> None:
    times = [event.t_s for event in scene.events]
    assert times == sorted(times)
    assert all(0 <= t < DURATION_S for t in times)


def test_who_enters_or_leaves_changes_sides_of_the_border(scene: Scene) -> None:
    moves = [e for e in scene.events if e.kind in ("zone_entered", "zone_left")]
    assert moves
    for event in moves:
        before = inside(scene, event, event.t_s - ROUNDING_S)
        after = inside(scene, event, event.t_s + ROUNDING_S)
        assert (before, after) == ((False, True) if event.kind == "zone_entered" else (True, False))


def test_who_loiters_was_inside_all_the_time(scene: Scene) -> None:
    for event in scene.events:
        if event.kind == "loitering":
            steps = range(1, 20)
            times = [
                event.t_s - LOITERING_S + ROUNDING_S + (LOITERING_S - ROUNDING_S) * n / 20 for n in steps
            ]
            assert all(inside(scene, event, t) for t in times)


def test_who_crosses_a_line_is_on_its_other_side_afterwards(scene: Scene) -> None:
    crossings = [e for e in scene.events if e.kind == "line_crossed"]
    assert bool(crossings) == bool(scene.lines)
    for event in crossings:
        before, after = (left_of(scene, event, event.t_s + shift) for shift in (-ROUNDING_S, ROUNDING_S))
        assert (before, after) == ((True, False) if event.direction == "left_to_right" else (False, True))


def test_a_crowd_is_there_when_it_begins() -> None:
    dock = Scene.open("scene://dock")
    (crowd,) = [event for event in dock.events if event.kind == "crowd"]
    count = [sum(contains(dock.zones["bay"], p) for p in anchors(dock, crowd.t_s + s)) for s in (-1.0, 1.0)]
    assert count[0] < CROWD_COUNT <= count[1]


def inside(scene: Scene, event: Event, t_s: float) -> bool:
    return contains(scene.zones[event.name], feet(scene, event, t_s))


def left_of(scene: Scene, event: Event, t_s: float) -> bool:
    """On the left hand of somebody who walks from the line's start to its end."""
    line, (x, y) = scene.lines[event.name], feet(scene, event, t_s)
    along = line.end[0] - line.start[0], line.end[1] - line.start[1]
    left_hand = along[1], -along[0]
    return (x - line.start[0]) * left_hand[0] + (y - line.start[1]) * left_hand[1] > 0


def feet(scene: Scene, event: Event, t_s: float) -> Point:
    ids = [box.actor_id for box in scene.truth(t_s)]
    return anchors(scene, t_s)[ids.index(event.actor_id or 0)]


def anchors(scene: Scene, t_s: float) -> list[Point]:
    boxes = [box.xyxy for box in scene.truth(t_s)]
    return [((left + right) / 2 / 640, bottom / 360) for left, _, right, bottom in boxes]


def contains(polygon: Polygon, point: Point) -> bool:
    """For a convex polygon against the clock: the point is on the same side of every edge."""
    x, y = point
    sides = [
        (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True)
    ]
    return all(side < 0 for side in sides)
