"""A small model with everything that a recipe names: its file, pictures, and what FP32 sees on them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import yaml

from edgeguard.models.files import sha256_of
from edgeguard.vision.yolox import YoloxDetector
from export import graph
from export.pictures import frame_of
from export.recipe import Recipe, load_recipe
from export.runner import MemorySession
from tests.export import networks
from tests.export.networks import HEIGHT, LABELS, WIDTH

SETS = {"calibration": 8, "tuning": 8, "validation": 8}


def make_site(folder: Path, **more: object) -> Recipe:
    """A recipe in `folder`, which is its mirror, too; `more` goes into the recipe."""
    folder.mkdir(exist_ok=True)
    graph.save(networks.yolox(), folder / "tiny.onnx")
    entry = {
        "card": {
            "title": "Tiny",
            "task": "detect",
            "licence": "MIT",
            "licence_url": "https://example.org/licence",
            "input": {"tensor": "images", "width_px": WIDTH, "height_px": HEIGHT},
            "labels": list(LABELS),
            "files": [
                {"name": "tiny.onnx", "mirror": "tiny.onnx", "sha256": sha256_of(folder / "tiny.onnx")}
            ],
        },
        "head": "yolox",
        **{name: {"images": name, "annotations": f"{name}.json"} for name in SETS},
        **more,
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(entry))
    for seed, (name, count) in enumerate(SETS.items()):
        _pictures(folder, name, count, seed)
    return load_recipe(str(folder / "tiny.yaml"))


def _pictures(folder: Path, name: str, count: int, seed: int) -> None:
    """Blurred noise, annotated with what the FP32 model finds in it."""
    (folder / name).mkdir(exist_ok=True)
    detector = YoloxDetector(MemorySession(networks.yolox()), LABELS, 0.3, 0.5)
    random = np.random.default_rng(seed)
    images, boxes = [], []
    for number in range(count):
        noise = random.integers(0, 255, (8, 16, 3), np.uint8)
        pixels = np.asarray(cv2.resize(noise, (2 * WIDTH, 2 * HEIGHT)), np.uint8)
        file = f"{name}-{number}.png"
        cv2.imwrite(str(folder / name / file), pixels)
        images.append({"id": number, "file_name": file})
        (found,) = detector.detect([frame_of(pixels)])
        for (left, top, right, bottom), class_id in zip(found.xyxy.tolist(), found.class_id, strict=True):
            box = [left, top, right - left, bottom - top]
            boxes.append({"image_id": number, "category_id": int(class_id) + 1, "bbox": box})
    categories = [{"id": number, "name": label} for number, label in enumerate(LABELS, 1)]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (folder / f"{name}.json").write_text(json.dumps(content))
