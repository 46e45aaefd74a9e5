"""A tiny detector as `export/` would leave it: card, FP32, INT8 that is good or broken, and a golden set."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeguard.models import InputSpec, OnnxSession
from edgeguard.models.files import sha256_of
from edgeguard.models.golden import GoldenSet, tensor_of, write_golden
from tests.models.graphs import constant, model, node

NAME = "yolox-nano-416"
SIZE = 32
SPEC = InputSpec("images", SIZE, SIZE)


def detector(scale: float | None = None, rows: str = "detections") -> onnx.ModelProto:
    """Four cells; blue is the confidence, green the place. With `scale`, quantised so."""
    kernel = np.zeros((6, 3, 16, 16), np.float32)
    kernel[4, 0] = 1 / (255 * 256)
    kernel[[0, 2], 1] = 100 / (255 * 256)
    bias = np.array([0, 0, 10, 10, 0, 3], np.float32)
    per_channel = np.maximum(np.abs(kernel).max(axis=(1, 2, 3)), 1e-6) / 127
    steps = [
        node("QuantizeLinear", ["images", "s", "z"], "q"),
        node("DequantizeLinear", ["q", "s", "z"], "x"),
        node("DequantizeLinear", ["k_q", "k_s", "k_z"], "k_dq", axis=0),
    ]
    tail = [
        node("Conv", ["x", "k_dq", "b"] if scale else ["images", "k", "b"], "c", strides=[16, 16]),
        node("Reshape", ["c", "shape"], "r"),
        node("Transpose", ["r"], rows, perm=[0, 2, 1]),
    ]
    whole = np.rint(kernel / per_channel[:, None, None, None])
    constants = [constant("b", bias), constant("shape", [-1, 6, 4], np.int64)]
    if scale:
        constants += [constant("s", scale), constant("z", 0, np.int8), constant("k_q", whole, np.int8)]
        constants += [constant("k_s", per_channel), constant("k_z", np.zeros(6), np.int8)]
    else:
        constants.append(constant("k", kernel))
    made = model([*(steps if scale else []), *tail], constants, shape=["batch", 3, SIZE, SIZE])
    made.graph.input[0].name = "images"
    made.graph.output[0].name = rows
    del made.graph.output[0].type.tensor_type.shape.dim[:]
    for size in ("batch", 4, 6):
        item = made.graph.output[0].type.tensor_type.shape.dim.add()
        item.dim_param, item.dim_value = (size, 0) if isinstance(size, str) else ("", size)
        if isinstance(size, str):
            item.dim_param = size
    return made


GOOD_SCALE, BROKEN_SCALE = 2.0, 0.01


def frames() -> NDArray[np.uint8]:
    cells = np.random.default_rng(1).integers(0, 250, (6, 2, 2, 3), dtype=np.uint8)
    return cells.repeat(16, 1).repeat(16, 2)


def export(
    root: Path, *, scale: float | None = GOOD_SCALE, golden: bool = True, name: str = NAME, **changes: Any
) -> Path:
    """Write the model into its folder below `root`; `scale` None leaves INT8 out. Returns the card."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    files = {"fp32": (f"{name}.onnx", detector())}
    if scale:
        files["int8"] = (f"{name}.int8.onnx", detector(scale))
    for file, graph in files.values():
        (folder / file).write_bytes(graph.SerializeToString())
    card: dict[str, Any] = {
        "card": 1,
        "name": name,
        "task": "detect",
        "input": dataclasses.asdict(SPEC),
        "decoding": "compact",
        "labels": ["person", "bicycle", "car", "motorcycle"],
        "outputs": {"detections": ["batch", 4, 6]},
        "files": {kind: _file(folder / file) for kind, (file, _) in files.items()},
        "calibration": {"images": 6, "dataset_sha256": "c" * 64, "list_sha256": "d" * 64},
        "floor": {"map_drop": 0.01, "golden_recall": 0.95},
        "golden": _golden(folder, name) if golden else None,
        **changes,
    }
    path = folder / f"{name}.card.json"
    path.write_text(json.dumps(card))
    return path


def _file(path: Path) -> dict[str, Any]:
    return {"file": path.name, "sha256": sha256_of(path), "size_bytes": path.stat().st_size}


def _golden(folder: Path, name: str) -> dict[str, Any]:
    session = OnnxSession(folder / f"{name}.onnx", name)
    found = [session.infer({"images": tensor_of(frame, SPEC)})["detections"][0] for frame in frames()]
    path = folder / f"{name}.golden.npz"
    write_golden(path, GoldenSet(frames(), np.stack(found)))
    return _file(path)
