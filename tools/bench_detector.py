"""Accuracy and speed of a detector on pictures with COCO annotations.

    python tools/bench.py detector --images DIR --annotations COCO.json

The product's own letterbox, ONNX Runtime session and decoding, on one thread; mAP by pycocotools.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cv2

from edgeguard.errors import EdgeGuardError
from edgeguard.models import ModelStore, OnnxSession, default_root, load_catalog
from edgeguard.types import Detections, Frame, PixelFormat
from edgeguard.vision.detector import Detector
from edgeguard.vision.nanodet import NanoDetDetector
from edgeguard.vision.yolox import YoloxDetector

DECODERS = {"yolox": YoloxDetector, "nanodet": NanoDetDetector}
MIRROR = Path(__file__).resolve().parent.parent.parent / "shared"
SYNONYMS = {
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}
"""Darknet's names of COCO classes."""
UNUSED_COCO_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""COCO numbers its 80 classes 1..90 and leaves these out."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--annotations", type=Path, required=True, help="COCO JSON with the true boxes")
    parser.add_argument("--model", default="yolox-nano-416", help="name in the catalog (%(default)s)")
    parser.add_argument(
        "--mirror",
        type=Path,
        default=Path(os.environ.get("EDGEGUARD_MIRROR", MIRROR)),
        help="folder with model files, used before the model store (%(default)s)",
    )
    parser.add_argument("--confidence", type=float, default=0.01, help="report from here on (%(default)s)")
    parser.add_argument("--iou", type=float, default=0.65, help="overlap at which NMS drops (%(default)s)")
    parser.add_argument("--limit", type=int, help="only the first so many pictures")


def run(args: argparse.Namespace) -> dict[str, object]:
    """mAP at IoU 0.50:0.95 and at 0.50, and the median milliseconds of one picture."""
    cv2.setNumThreads(1)
    try:
        detector = load_detector(args.model, args.mirror, args.confidence, args.iou)
    except EdgeGuardError as error:
        raise SystemExit(str(error)) from error
    truth = read_annotations(args.annotations, detector.labels)
    categories = category_ids(detector.labels, truth)
    pictures = find_pictures(truth["images"][: args.limit], args.images)
    found: list[dict[str, object]] = []
    times_ms = []
    for image, frame in read_pictures(pictures):
        start_s = time.perf_counter()
        (detections,) = detector.detect([frame])
        times_ms.append((time.perf_counter() - start_s) * 1000)
        found += results(image["id"], detections, categories)
    image_ids = [image["id"] for image, _ in pictures]
    map_all, map50 = evaluate(truth, found, image_ids, sorted(categories.values()))
    return {
        "map": round(map_all, 4),
        "map50": round(map50, 4),
        "images": len(pictures),
        "ms_per_image": round(median(times_ms), 2),
        "model": detector.model.name,
        "sha256": detector.model.sha256,
        "categories": len(categories),
        "images_missing": len(truth["images"][: args.limit]) - len(pictures),
    }


def load_detector(name: str, mirror: Path, confidence: float, iou: float) -> Detector:
    """The catalog's model `name`, from the mirror or the store."""
    card = load_catalog().card(name)
    if card.decoding not in DECODERS:
        raise SystemExit(f"{name} is no detector that can be measured here: it is for {card.task}")
    store = ModelStore(default_root(), [mirror])
    path = store.path(card)
    return DECODERS[card.decoding](OnnxSession(path, name), store.labels(card), confidence, iou)


def read_annotations(path: Path, labels: Sequence[str]) -> dict[str, Any]:
    """The annotation file, with what pycocotools needs and some files leave out."""
    try:
        truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        truth = {"info": {}, "images": truth["images"], **truth}
        for number, box in enumerate(truth["annotations"], 1):
            box.setdefault("id", number)
            box.setdefault("iscrowd", 0)
            box.setdefault("area", box["bbox"][2] * box["bbox"][3])
        if not truth.get("categories"):
            ids = {box["category_id"] for box in truth["annotations"]}
            truth["categories"] = guessed_categories(ids, labels)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SystemExit(f"{path} is not a COCO annotation file of boxes: {error!r}") from error
    return truth


def guessed_categories(ids: set[int], labels: Sequence[str]) -> list[dict[str, object]]:
    """Names for category ids of a file that does not tell them: 0..79, 1..80 or COCO's own 1..90."""
    if 0 in ids:
        numbers = list(range(len(labels)))
    elif ids & UNUSED_COCO_IDS:
        numbers = list(range(1, len(labels) + 1))
    else:
        numbers = [number for number in range(1, 91) if number not in UNUSED_COCO_IDS]
    return [{"id": number, "name": name} for number, name in zip(numbers, labels, strict=False)]


def category_ids(labels: Sequence[str], truth: Mapping[str, Any]) -> dict[int, int]:
    """Class id of the model to category id of the file, by name."""
    by_name = {plain(category["name"]): category["id"] for category in truth["categories"]}
    found = {row: by_name[plain(label)] for row, label in enumerate(labels) if plain(label) in by_name}
    unknown = sorted(by_name.keys() - {plain(label) for label in labels})
    if not found:
        raise SystemExit(f"the model knows none of the categories {', '.join(unknown)}")
    if unknown:
        print(f"not measured, for the model does not know them: {', '.join(unknown)}", file=sys.stderr)
    return found


def plain(name: str) -> str:
    """A class name as COCO writes it."""
    name = name.strip().lower().replace("_", " ").replace("-", " ")
    return SYNONYMS.get(name.replace(" ", ""), name)


def find_pictures(images: Sequence[dict[str, Any]], folder: Path) -> list[tuple[dict[str, Any], Path]]:
    """The pictures that are there; says which are not."""
    pictures, missing = [], []
    for image in images:
        name = Path(image["file_name"])
        path = next((p for p in (folder / name, folder / name.name) if p.is_file()), None)
        if path:
            pictures.append((image, path))
        else:
            missing.append(str(name))
    if not pictures:
        raise SystemExit(f"{folder} has none of the {len(images)} pictures, not even {missing[:1]}")
    if missing:
        print(f"{len(missing)} pictures are not in {folder}: {', '.join(missing[:10])} ...", file=sys.stderr)
    return pictures


def read_pictures(pictures: Sequence[tuple[dict[str, Any], Path]]) -> Iterator[tuple[dict[str, Any], Frame]]:
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION  # COCO's boxes ignore EXIF
    for sequence, (image, path) in enumerate(pictures):
        pixels: Any = cv2.imread(str(path), flags)
        if pixels is None:
            raise SystemExit(f"{path} is not a picture that OpenCV can read")
        height, width = pixels.shape[:2]
        stated = image.get("width", width), image.get("height", height)
        if stated != (width, height):
            raise SystemExit(f"{path} is {width}x{height}, but the annotations say {stated[0]}x{stated[1]}")
        yield image, Frame("bench", sequence, 0, 0, 0, width, height, PixelFormat.BGR, (pixels,))


def results(image_id: int, found: Detections, categories: Mapping[int, int]) -> list[dict[str, object]]:
    """What was found in one picture, as COCO wants it."""
    rows = zip(found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist(), strict=True)
    return [
        {
            "image_id": image_id,
            "category_id": categories[class_id],
            "bbox": [left, top, right - left, bottom - top],
            "score": confidence,
        }
        for (left, top, right, bottom), confidence, class_id in rows
        if class_id in categories
    ]


def evaluate(
    truth: dict[str, Any],
    found: list[dict[str, object]],
    image_ids: Sequence[int],
    category_ids: Sequence[int],
) -> tuple[float, float]:
    """mAP at IoU 0.50:0.95 and at 0.50, over these pictures and categories."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise SystemExit("pycocotools is not installed: pip install 'edgeguard[dev]'") from error
    if not found:
        return 0.0, 0.0
    with contextlib.redirect_stdout(sys.stderr):
        annotated = COCO()
        annotated.dataset = truth
        annotated.createIndex()
        evaluation = COCOeval(annotated, annotated.loadRes(found), "bbox")
        evaluation.params.imgIds = list(image_ids)
        evaluation.params.catIds = list(category_ids)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])
