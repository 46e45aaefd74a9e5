"""The golden set that travels with a model: drawn scenes, and what FP32 sees in them.

Drawn, so that it may be shipped with any product: no camera took these pictures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from edgeguard.models import InputSpec
from edgeguard.models.files import sha256_of, writing_below
from edgeguard.models.golden import SURE, GoldenSet, tensor_of, write_golden
from edgeguard.synth import Scene
from edgeguard.synth.scenes import SCENES
from edgeguard.vision.compact import letterbox_of
from export.pictures import frame_of
from export.recipe import Recipe
from export.runner import MemorySession

FRAMES = 8
EVERY_S = 2.0


def make_golden(recipe: Recipe, model: ModelProto, folder: Path) -> dict[str, Any] | None:
    """Write `NAME.golden.npz` with the pictures of which FP32 sees most.

    What the card says of it, or None if FP32 sees nothing in any scene.
    """
    session = MemorySession(model)
    kept: list[tuple[float, NDArray[np.uint8], NDArray[np.float32]]] = []
    for picture in scene_pictures():
        frame = _at_size(picture, recipe.input)
        (rows,) = session.infer({recipe.input.tensor: tensor_of(frame, recipe.input)}).values()
        kept.append((float((rows[0, :, 4] >= SURE).sum()), frame, rows[0]))
    kept = sorted(kept, key=lambda item: -item[0])[:FRAMES]
    if not kept or kept[0][0] == 0:
        return None
    path = folder / f"{recipe.name}.golden.npz"
    with writing_below(folder):
        golden = GoldenSet(np.stack([item[1] for item in kept]), np.stack([item[2] for item in kept]))
        write_golden(path, golden)
    return {"file": path.name, "sha256": sha256_of(path)}


def scene_pictures() -> Iterator[NDArray[np.uint8]]:
    """(h, w, 3) BGR: every scene, now and then."""
    for name in SCENES:
        scene = Scene.open(f"scene://{name}")
        for at_s in np.arange(0, scene.duration_s, EVERY_S):
            yield scene.picture(float(at_s))


def _at_size(picture: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    """(height_px, width_px, 3): letterboxed as the model wants it, but not normalised."""
    plain = dataclasses.replace(spec, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), order="bgr")
    letterbox = letterbox_of(plain)
    planes = np.zeros(letterbox.shape, np.float32)
    letterbox.into(frame_of(picture), planes)
    return np.ascontiguousarray(planes.transpose(1, 2, 0).round().astype(np.uint8))
