"""The figure that `tools/bench.py detector` gives, on few pictures, and what it makes of odd files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tools import bench_detector

pytest.importorskip("pycocotools", reason="pycocotools is not installed: pip install 'edgeguard[dev]'")

SET = "data/gt/coco128_yolo"
TRUTH = "instances_val2017_128_from_yolo.json"


def bench(mirror: Path, images: Path, annotations: Path, *more: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    bench_detector.add_arguments(parser)
    line = ["--images", str(images), "--annotations", str(annotations), "--mirror", str(mirror), *more]
    return bench_detector.run(parser.parse_args(line))


@pytest.fixture
def few(mirror: Path) -> dict[str, Any]:
    """Six pictures and their annotations, as the file has them."""
    truth: dict[str, Any] = json.loads((mirror / SET / TRUTH).read_text())
    truth["images"] = truth["images"][:6]
    ids = {image["id"] for image in truth["images"]}
    truth["annotations"] = [box for box in truth["annotations"] if box["image_id"] in ids]
    return truth


def measure(mirror: Path, folder: Path, truth: dict[str, Any], images: Path | None = None) -> dict[str, Any]:
    path = folder / "truth.json"
    path.write_text(json.dumps(truth))
    return bench(mirror, images or mirror / SET / "images/val2017", path)


@pytest.mark.parametrize(
    ("model", "map_all", "map50"), [("yolox-nano-416", 0.439, 0.620), ("nanodet-m-320", 0.384, 0.552)]
)
def test_accuracy_on_real_pictures(mirror: Path, model: str, map_all: float, map50: float) -> None:
    figures = bench(
        mirror, mirror / SET / "images/val2017", mirror / SET / TRUTH, "--model", model, "--limit", "24"
    )
    assert figures["images"] == 24
    assert figures["map"] == pytest.approx(map_all, abs=0.01)
    assert figures["map50"] == pytest.approx(map50, abs=0.01)


def test_category_ids_are_matched_by_name(mirror: Path, tmp_path: Path, few: dict[str, Any]) -> None:
    expected = measure(mirror, tmp_path, few)["map"]
    ids = {category["id"]: number for number, category in enumerate(few["categories"], 200)}
    renumber(few, ids)
    assert measure(mirror, tmp_path, few)["map"] == expected


@pytest.mark.parametrize("first", [0, 1])
def test_category_ids_without_names(mirror: Path, tmp_path: Path, few: dict[str, Any], first: int) -> None:
    expected = measure(mirror, tmp_path, few)["map"]
    renumber(few, {category["id"]: number for number, category in enumerate(few["categories"], first)})
    del few["categories"]
    assert measure(mirror, tmp_path, few)["map"] == pytest.approx(expected, abs=1e-9)


def renumber(truth: dict[str, Any], ids: dict[int, int]) -> None:
    for category in truth["categories"]:
        category["id"] = ids[category["id"]]
    for box in truth["annotations"]:
        box["category_id"] = ids[box["category_id"]]


def test_missing_pictures_are_told_and_left_out(
    mirror: Path, tmp_path: Path, few: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    few["images"] += [{"id": 1, "file_name": "gone.jpg", "width": 10, "height": 10}]
    figures = measure(mirror, tmp_path, few)
    assert (figures["images"], figures["images_missing"]) == (6, 1)
    assert "gone.jpg" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="none of the 7 pictures"):
        measure(mirror, tmp_path, few, tmp_path)


def test_grey_pictures_unknown_categories_and_bare_boxes(mirror: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((33, 57), 80, np.uint8))
    truth = {
        "images": [{"id": 1, "file_name": "sub/a.png"}],
        "annotations": [{"image_id": 1, "category_id": 9, "bbox": [1, 1, 20, 20]}],
        "categories": [{"id": 9, "name": "Person"}, {"id": 10, "name": "forklift"}],
    }
    figures = measure(mirror, tmp_path, truth, tmp_path)
    assert (figures["map"], figures["categories"]) == (0, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "is not a COCO annotation file"),
        ("{}", "is not a COCO annotation file"),
        ("", "is not a COCO annotation file"),
        ('{"images": [], "annotations": [], "categories": [{"id": 1, "name": "forklift"}]}', "forklift"),
    ],
)
def test_a_wrong_file_is_told_in_a_sentence(mirror: Path, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "truth.json"
    path.write_text(content)
    with pytest.raises(SystemExit, match=message):
        bench(mirror, tmp_path, path)


def test_a_wrong_model_is_told_in_a_sentence(mirror: Path, tmp_path: Path) -> None:
    for model, message in (("yolox-nan", "did you mean"), ("yamnet", "no detector")):
        with pytest.raises(SystemExit, match=message):
            bench(mirror, tmp_path, tmp_path, "--model", model)


def test_a_picture_of_another_size_than_annotated_is_refused(mirror: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((33, 57), 80, np.uint8))
    image = {"id": 1, "file_name": "a.png", "width": 114, "height": 66}
    truth = {"images": [image], "annotations": [], "categories": [{"id": 1, "name": "person"}]}
    with pytest.raises(SystemExit, match="57x33, but the annotations say 114x66"):
        measure(mirror, tmp_path, truth, tmp_path)
