"""The YOLOX decoder on outputs made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgeguard.errors import ConfigError, ModelError
from edgeguard.models import FakeSession
from edgeguard.vision.yolox import YoloxDetector
from tests.support.pictures import grey
from tests.vision.networks import LABELS, STRIDES, yolox

FRAME = {"width": 320, "height": 160}  # scaled by 0.5 into 160x96


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("box", [(10, 20, 40, 70), (100.5, 8.25, 150, 60), (33, 33, 36, 41)])
def test_finds_the_box_in_frame_pixels(stride: int, box: tuple[float, float, float, float]) -> None:
    detector = YoloxDetector(yolox([(box, 2, 0.8)], stride=stride), LABELS)
    (found,) = detector.detect([grey(**FRAME)])
    assert found.xyxy == pytest.approx(np.array([box]) * 2, abs=1e-3)
    assert found.confidence == pytest.approx([0.8])
    assert found.class_id.tolist() == [2]


def test_one_cell_may_be_two_things() -> None:
    session = yolox([((10, 20, 40, 70), 0, 0.5), ((10, 20, 40, 70), 2, 0.7)])
    (found,) = YoloxDetector(session, LABELS).detect([grey(**FRAME)])
    assert found.class_id.tolist() == [2, 0]


def test_reports_only_the_classes_asked_for() -> None:
    session = yolox([((10, 20, 40, 70), 0, 0.5), ((90, 20, 140, 70), 2, 0.7)])
    (found,) = YoloxDetector(session, LABELS, classes=("person",)).detect([grey(**FRAME)])
    assert found.class_id.tolist() == [0]


@pytest.mark.parametrize(("confidence", "n"), [(0.3, 2), (0.5, 1), (0.75, 0)])
def test_reports_from_the_confidence_on(confidence: float, n: int) -> None:
    session = yolox([((10, 20, 40, 70), 0, 0.4), ((90, 20, 140, 70), 2, 0.7)])
    (found,) = YoloxDetector(session, LABELS, confidence=confidence).detect([grey(**FRAME)])
    assert len(found) == n


def test_only_the_best_candidates_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeguard.vision.network.TOP_K", 2)
    boxes = [(10, 20, 40, 70), (60, 20, 80, 70), (100, 20, 140, 70)]
    session = yolox([(box, 0, confidence) for box, confidence in zip(boxes, (0.6, 0.4, 0.8), strict=True)])
    (found,) = YoloxDetector(session, LABELS).detect([grey(**FRAME)])
    assert found.confidence == pytest.approx([0.8, 0.6])


def test_overlapping_boxes_become_one() -> None:
    session = yolox([((30, 30, 60, 60), 0, 0.9), ((34, 30, 66, 60), 0, 0.6)])
    (found,) = YoloxDetector(session, LABELS, iou=0.45).detect([grey(**FRAME)])
    assert found.confidence == pytest.approx([0.9])


def test_clips_to_the_frame_and_not_to_the_padding() -> None:
    session = yolox([((-20, 40, 40, 95), 0, 0.9)])
    (found,) = YoloxDetector(session, LABELS).detect([grey(**FRAME)])
    assert found.xyxy == pytest.approx(np.array([[0, 80, 80, 160]]), abs=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 4, "batch"])
def test_more_frames_than_the_batch_holds(batch: int | str) -> None:
    session = yolox([((10, 20, 40, 70), 2, 0.8)], batch=batch)
    found = YoloxDetector(session, LABELS).detect([grey(**FRAME), grey(160, 96), grey(**FRAME)])
    assert [each.xyxy[0, 0] for each in found] == pytest.approx([20, 10, 20], abs=1e-3)
    assert session.calls == {1: 3, 2: 2, 4: 1, "batch": 3}[batch]


def test_feeds_each_slot_its_own_frame() -> None:
    session = yolox([], batch=2)
    YoloxDetector(session, LABELS).detect([grey(value=10), grey(value=20)])
    fed = session.last_feeds["images"]
    assert fed[:, 0, 0, 0].tolist() == [10, 20]


def test_reads_each_slot_for_its_own_frame() -> None:
    things = [[((10, 20, 40, 70), 2, 0.8)], [((90, 20, 140, 70), 0, 0.7), ((10, 20, 40, 70), 1, 0.5)]]
    blank = {"images": np.zeros((1, 3, 96, 160), np.float32)}
    output = np.concatenate([yolox(each).infer(blank)["output"] for each in things])
    session = FakeSession({"images": (2, 3, 96, 160)}, [{"output": output}])
    found = YoloxDetector(session, LABELS).detect([grey(**FRAME), grey(**FRAME)])
    assert [each.class_id.tolist() for each in found] == [[2], [0, 1]]


def test_refuses_labels_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match=r"expected \(batch, 315, 7\): it is no YOLOX of 2 labels"):
        YoloxDetector(yolox([]), LABELS[:2])


@pytest.mark.parametrize("shape", [(1, 3, "height", "width"), (1, 96, 160, 3), (1, 3, 96)])
def test_refuses_an_input_it_cannot_fill(shape: tuple[int | str, ...]) -> None:
    session = FakeSession({"images": shape}, [{"output": np.zeros((1, 315, 8), np.float32)}])
    with pytest.raises(ModelError, match="expected one input"):
        YoloxDetector(session, LABELS)


def test_an_unknown_class_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="no class 'persn': did you mean 'person'"):
        YoloxDetector(yolox([]), LABELS, classes=("car", "persn"))
