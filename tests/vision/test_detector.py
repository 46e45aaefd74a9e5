"""What every detector promises, checked on all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgeguard.types import Detections, Frame
from edgeguard.vision.detector import Detector, FakeDetector
from edgeguard.vision.motion import MotionDetector
from edgeguard.vision.nanodet import NanoDetDetector
from edgeguard.vision.yolox import YoloxDetector
from tests.support.pictures import frame
from tests.vision.networks import LABELS, Thing, nanodet, yolox

THINGS: list[Thing] = [((-30, 40, 40, 90), 0, 0.6), ((60, 10, 100, 60), 2, 0.9), ((62, 60, 155, 95), 1, 0.7)]


def scripted(picture: Frame) -> Detections:
    """One box inside, one across the edge, one outside."""
    boxes = [(10, 10, 50, 50), (-30, 20, 9, picture.height + 30), (-90, 0, -10, 20)]
    confidence = np.array([0.4, 0.8, 0.9], np.float32)
    return Detections(np.array(boxes, np.float32), confidence, np.zeros(3, np.int32))


MAKERS: dict[str, Callable[[], Detector]] = {
    "yolox": lambda: YoloxDetector(yolox(THINGS), LABELS),
    "nanodet": lambda: NanoDetDetector(nanodet(THINGS), LABELS),
    "motion": MotionDetector,
    "fake": lambda: FakeDetector(LABELS, scripted),
}


@pytest.fixture(params=MAKERS)
def detector(request: pytest.FixtureRequest) -> Detector:
    return MAKERS[request.param]()


def picture(number: int, source: str = "gate", width: int = 320, height: int = 200) -> Frame:
    """Something bright that walks in from the left edge."""
    pixels = np.full((height, width, 3), 60, np.uint8)
    pixels[40:160, max(0, number * 6 - 40) : number * 6] = 250
    return frame(pixels, source=source, sequence=number, pts_ns=number * 10**8)


def walk(detector: Detector, source: str = "gate", width: int = 320) -> list[tuple[Frame, Detections]]:
    seen = []
    for number in range(25):
        shown = picture(number, source, width)
        (found,) = detector.detect([shown])
        seen.append((shown, found))
    return seen


def test_finds_something_inside_the_frame(detector: Detector) -> None:
    seen = [(shown, found) for shown, found in walk(detector) if len(found)]
    assert seen
    for shown, found in seen:
        assert np.all(found.xyxy >= 0)
        assert np.all(found.xyxy <= [shown.width, shown.height] * 2)
        assert np.all(found.xyxy[:, 2:] > found.xyxy[:, :2])


def test_says_how_sure_it_is_and_what_it_is(detector: Detector) -> None:
    for _, found in walk(detector):
        assert np.all((found.confidence > 0) & (found.confidence <= 1))
        assert np.all(np.diff(found.confidence) <= 0)
        assert np.all((found.class_id >= 0) & (found.class_id < len(detector.labels)))
        assert (found.xyxy.dtype, found.confidence.dtype, found.class_id.dtype) == (
            np.float32,
            np.float32,
            np.int32,
        )


def test_answers_each_frame_in_turn(detector: Detector) -> None:
    assert detector.detect([]) == []
    for number in range(25):
        frames = [picture(number, "gate", 320), picture(number, "yard", 640), picture(number, "hall", 100)]
        found = detector.detect(frames)
        assert len(found) == 3
        for shown, each in zip(frames, found, strict=True):
            assert np.all(each.xyxy <= [shown.width, shown.height] * 2)


def test_cameras_do_not_mix(detector: Detector) -> None:
    alone = walk(detector, "alone")
    for number in range(25):
        _, found = detector.detect([picture(24 - number, "other"), picture(number, "gate")])
        assert np.array_equal(found.xyxy, alone[number][1].xyxy)


def test_names_its_model_and_labels(detector: Detector) -> None:
    assert detector.model.name
    assert detector.model.backend
    assert detector.labels
    assert len(set(detector.labels)) == len(detector.labels)


def test_the_fake_does_as_it_is_told() -> None:
    (found,) = FakeDetector(("person",), scripted).detect([picture(3)])
    assert found.xyxy.tolist() == [[0, 20, 9, 200], [10, 10, 50, 50]]
    assert found.confidence == pytest.approx([0.8, 0.4])
