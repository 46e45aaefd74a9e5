"""Accuracy on annotated pictures, by COCO's own evaluator."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeguard.errors import DependencyError, ModelError
from edgeguard.models.files import reading
from edgeguard.types import Detections
from edgeguard.vision.detector import Detector
from export.pictures import PictureSet, frame_of, from_files
from export.progress import steps

CONFIDENCE = 0.01
"""mAP needs the faint detections, too."""
IOU = 0.65
DARKNET = {
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}
"""Names of COCO classes in annotations that came through Darknet."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Pictures and what is on them."""

    pictures: PictureSet
    image_ids: tuple[int, ...]
    dataset: Mapping[str, Any]
    """The annotation file, as pycocotools wants it."""


@dataclass(frozen=True, slots=True)
class Score:
    """Of one model on one set of pictures."""

    map: float
    """mAP at IoU 0.50:0.95, 0 to 1."""
    map50: float
    recall: Mapping[str, float]
    """By class that is on the pictures: the share found at IoU 0.50, whatever the confidence."""


def read_truth(images: Path, annotations: Path, without: Collection[str] = ()) -> Truth:
    """The annotated pictures that lie in the folder `images`, but for the file names `without`.

    ModelError if the annotations cannot be read or none of their pictures is there.
    """
    try:
        with reading(annotations):
            content = json.loads(annotations.read_text(encoding="utf-8"))
        listed = {int(image["id"]): Path(image["file_name"]).name for image in content["images"]}
        categories = [
            (int(item["id"]), DARKNET.get(item["name"], str(item["name"]))) for item in content["categories"]
        ]
        boxes = [{"iscrowd": 0, "area": _area(box), **box} for box in content["annotations"]]
    except (ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{annotations} is not a COCO annotation file of boxes: {error!r}") from error
    ids = [number for number, name in listed.items() if name not in without and (images / name).is_file()]
    pictures = from_files(images, [images / listed[number] for number in ids])
    dataset = {
        "info": {},
        "images": [{"id": number} for number in ids],
        "annotations": [box | {"id": at} for at, box in enumerate(boxes, 1) if box["image_id"] in set(ids)],
        "categories": [{"id": number, "name": name} for number, name in categories],
    }
    return Truth(pictures, tuple(ids), dataset)


def score(detector: Detector, truth: Truth) -> Score:
    """Run `detector`, which must report from `CONFIDENCE` on, over all pictures, and evaluate."""
    by_name = {item["name"]: item["id"] for item in truth.dataset["categories"]}
    categories = {row: by_name[label] for row, label in enumerate(detector.labels) if label in by_name}
    if not categories:
        raise ModelError(f"the model knows none of the categories {', '.join(sorted(by_name))}")
    found: list[dict[str, Any]] = []
    for number, picture in steps(list(zip(truth.image_ids, truth.pictures.frames, strict=True)), "mAP"):
        (detections,) = detector.detect([frame_of(picture)])
        found += _results(number, detections, categories)
    return evaluate(truth, found, sorted(categories.values()))


def evaluate(truth: Truth, found: Sequence[Mapping[str, Any]], categories: Sequence[int]) -> Score:
    """Of `found`, rows in COCO's result format, for these category ids."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise DependencyError("pycocotools is not installed: `pip install 'edgeguard[export]'`") from error
    if not found:
        return Score(0.0, 0.0, {})
    with contextlib.redirect_stdout(io.StringIO()):
        annotated = COCO()
        annotated.dataset = dict(truth.dataset)
        annotated.createIndex()
        evaluation = COCOeval(annotated, annotated.loadRes(list(found)), "bbox")
        evaluation.params.imgIds = list(truth.image_ids)
        evaluation.params.catIds = list(categories)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = {item["id"]: item["name"] for item in truth.dataset["categories"]}
    recall = evaluation.eval["recall"][0, :, 0, -1]  # IoU 0.50, all sizes, most detections
    by_class = {
        names[number]: float(value) for number, value in zip(categories, recall, strict=True) if value >= 0
    }
    return Score(float(evaluation.stats[0]), float(evaluation.stats[1]), by_class)


def _area(box: Mapping[str, Any]) -> float:
    return float(box["bbox"][2] * box["bbox"][3])


def _results(image_id: int, found: Detections, categories: Mapping[int, int]) -> list[dict[str, Any]]:
    corner, size = found.xyxy[:, :2], found.xyxy[:, 2:] - found.xyxy[:, :2]
    boxes = np.hstack([corner, size]).tolist()
    rows = zip(boxes, found.confidence.tolist(), found.class_id.tolist(), strict=True)
    return [
        {"image_id": image_id, "category_id": categories[class_id], "bbox": box, "score": confidence}
        for box, confidence, class_id in rows
        if class_id in categories
    ]
