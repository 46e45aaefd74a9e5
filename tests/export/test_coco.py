"""Accuracy by COCO's evaluator, and what is wrong with annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.types import Detections, Frame
from edgeguard.vision.detector import FakeDetector
from export.coco import read_truth, score

LABELS = ("person", "motorcycle")
BOX = (10.0, 20.0, 50.0, 80.0)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((100, 100, 3), np.uint8))
    left, top, right, bottom = BOX
    box = [left, top, right - left, bottom - top]
    content: dict[str, Any] = {
        "images": [
            {"id": 7, "file_name": "a.png"},
            {"id": 8, "file_name": "b.png"},
            {"id": 9, "file_name": "c.png"},
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 4, "name": "motorbike"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": box},
            {"image_id": 8, "category_id": 4, "bbox": box},
        ],
    }
    (tmp_path / "truth.json").write_text(json.dumps(content))
    return tmp_path


def detector(class_id: int) -> FakeDetector:
    def script(_: Frame) -> Detections:
        return Detections(np.array([BOX], np.float32), np.ones(1, np.float32), np.array([class_id], np.int32))

    return FakeDetector(LABELS, script)


def test_half_of_the_classes_found_is_half_the_score(place: Path) -> None:
    found = score(detector(0), read_truth(place, place / "truth.json"))
    assert found.map50 == pytest.approx(0.5)
    assert found.recall == {"person": 1, "motorcycle": 0}


def test_pictures_that_are_not_there_or_left_out_do_not_count(place: Path) -> None:
    truth = read_truth(place, place / "truth.json", {"b.png"})
    assert truth.image_ids == (7,)
    assert score(detector(0), truth).map == pytest.approx(1)


def test_nothing_found_is_nothing(place: Path) -> None:
    blind = FakeDetector(LABELS, lambda _: Detections.empty())
    assert score(blind, read_truth(place, place / "truth.json")).map == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": 3}', '{"images": [], "annotations": []}'])
def test_annotations_that_are_none_are_named(place: Path, text: str) -> None:
    (place / "wrong.json").write_text(text)
    with pytest.raises(ModelError, match=r"wrong\.json"):
        read_truth(place, place / "wrong.json")


def test_a_model_of_other_things_is_refused(place: Path) -> None:
    other = FakeDetector(("whale",), lambda _: Detections.empty())
    with pytest.raises(ModelError, match="knows none"):
        score(other, read_truth(place, place / "truth.json"))
