"""Pictures and their truth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeguard.synth import Scene, SceneUrl, TrueBox
from edgeguard.synth.paint import Picture
from edgeguard.synth.scenes import SCENES

NAMES = sorted(SCENES)
GRAIN = 20
"""Grain never changes a pixel by more."""


@pytest.fixture(scope="module", params=NAMES)
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene.open(f"scene://{request.param}")


@pytest.fixture(scope="module")
def bare() -> dict[str, Scene]:
    """The scenes without shadows."""
    lights = {name: plan.light._replace(shadow=0.0) for name, plan in SCENES.items()}
    return {n: Scene(replace(SCENES[n], light=light), SceneUrl(n)) for n, light in lights.items()}


def iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, width) * max(0.0, height)
    return both / (area(a) + area(b) - both)


def area(box: tuple[float, ...]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def test_a_picture_is_what_it_says(scene: Scene) -> None:
    picture = scene.picture(5.0)
    assert picture.shape == (360, 640, 3)
    assert picture.dtype == np.uint8
    assert 60 < picture.mean() < 190


def test_the_same_address_gives_the_same_bytes(scene: Scene) -> None:
    again = Scene.open(str(scene.url))
    again.picture(30.0)
    assert np.array_equal(scene.picture(13.3), again.picture(13.3))
    assert scene.truth(13.3) == again.truth(13.3)


def test_another_seed_gives_another_picture(scene: Scene) -> None:
    other = Scene.open(f"scene://{scene.url.name}?seed=2")
    assert not np.array_equal(scene.background, other.background)
    assert scene.truth(13.3) == other.truth(13.3)


def test_grain_is_another_in_every_picture_of_a_still_scene() -> None:
    yard = Scene.open("scene://yard")
    difference = cv2.absdiff(yard.picture(0.0), yard.picture(0.1))
    assert 0 < difference.max() <= 2 * GRAIN
    assert difference.mean() > 1


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(NAMES), st.floats(0, 48))
def test_actors_are_drawn_nowhere_but_in_their_true_boxes(
    bare: dict[str, Scene], name: str, t_s: float
) -> None:
    changed = drawn(bare[name], t_s)
    for box in bare[name].truth(t_s):
        left, top, right, bottom = box.xyxy
        changed[max(int(top) - 1, 0) : int(bottom) + 2, max(int(left) - 1, 0) : int(right) + 2] = False
    assert not changed.any()


@pytest.mark.parametrize("name", NAMES)
def test_true_boxes_are_tight_around_lonely_actors(bare: dict[str, Scene], name: str) -> None:
    times = [t for t in np.arange(0, 48, 0.5).tolist() if lonely(bare[name].truth(t))]
    assert len(times) > 8
    for t_s in times:
        x, y, w, h = cv2.boundingRect(drawn(bare[name], t_s).astype(np.uint8))
        assert iou(bare[name].truth(t_s)[0].xyxy, (x, y, x + w, y + h)) > 0.85


def lonely(boxes: tuple[TrueBox, ...]) -> bool:
    return len(boxes) == 1 and boxes[0].visible == 1


def drawn(scene: Scene, t_s: float) -> NDArray[np.bool_]:
    """(h, w), where the picture differs from the background by more than grain."""
    return np.asarray(cv2.absdiff(scene.picture(t_s), scene.background).max(axis=2) > GRAIN)


def test_truth_lies_inside_the_picture(scene: Scene) -> None:
    for t_s in np.arange(0, 48, 0.5).tolist():
        for box in scene.truth(t_s):
            left, top, right, bottom = box.xyxy
            assert 0 <= left < right <= 640
            assert 0 <= top < bottom <= 360
            assert 0 < box.visible <= 1


def test_people_shrink_with_distance(scene: Scene) -> None:
    boxes = [box for t in range(48) for box in scene.truth(t) if box.label == "person" and box.visible == 1]
    feet = np.array([box.xyxy[3] for box in boxes])
    heights = np.array([box.xyxy[3] - box.xyxy[1] for box in boxes])
    assert np.corrcoef(feet, heights)[0, 1] > 0.9


def test_after_its_end_a_scene_begins_again_with_new_people(scene: Scene) -> None:
    t_s = next(t / 10 for t in range(480) if scene.truth(t / 10))
    first, second = scene.truth(t_s), scene.truth(t_s + scene.duration_s)
    assert np.allclose([box.xyxy for box in second], [box.xyxy for box in first])
    assert not {box.actor_id for box in first} & {box.actor_id for box in second}


@pytest.mark.parametrize(("width", "height"), [(160, 90), (640, 480), (1280, 720), (322, 182)])
def test_zones_and_truth_fit_every_size(width: int, height: int) -> None:
    small, large = Scene.open("scene://yard"), Scene.open(f"scene://yard?width={width}&height={height}")
    assert large.picture(12.0).shape == (height, width, 3)
    assert large.zones == small.zones
    (a,), (b,) = small.truth(12.0), large.truth(12.0)
    assert anchor(b, large) == pytest.approx(anchor(a, small), abs=0.03)


def anchor(box: TrueBox, scene: Scene) -> tuple[float, float]:
    left, _, right, bottom = box.xyxy
    return (left + right) / 2 / scene.url.width, bottom / scene.url.height


@pytest.mark.parametrize("name", NAMES)
def test_a_background_subtractor_finds_the_actors(name: str) -> None:
    scene = Scene.open(f"scene://{name}?width=320&height=180")
    subtractor = cv2.createBackgroundSubtractorMOG2(history=300, varThreshold=25, detectShadows=True)
    seen, found, false_alarms = 0, 0, 0
    for tick in range(240):
        boxes = moving_boxes(subtractor.apply(scene.picture(tick / 5)))
        if tick < 10:
            continue
        truth = scene.truth(tick / 5)
        whole = [box.xyxy for box in truth if box.visible > 0.9]
        seen += len(whole)
        found += sum(any(covers(blob, box) for blob in boxes) for box in whole)
        false_alarms += bool(boxes and not truth)
    assert found >= 0.8 * seen > 0
    assert false_alarms <= 2


def moving_boxes(mask: Picture) -> list[tuple[float, ...]]:
    sure = cv2.morphologyEx((mask == 255).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    joined = cv2.dilate(sure, np.ones((5, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    return [(x, y, x + w, y + h) for x, y, w, h, size in stats[1:].tolist() if size > 50]


def covers(blob: tuple[float, ...], box: tuple[float, ...]) -> bool:
    """The blob holds most of the box."""
    width = min(blob[2], box[2]) - max(blob[0], box[0])
    height = min(blob[3], box[3]) - max(blob[1], box[1])
    return width > 0 and height > 0 and width * height > 0.5 * area(box)
