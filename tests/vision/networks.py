"""Networks that answer with boxes placed through the inverse of their decoding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeguard.models import FakeSession

LABELS = ("person", "bicycle", "car")
STRIDES = (8, 16, 32)

Thing = tuple[tuple[float, float, float, float], int, float]
"""xyxy in tensor pixels, class and confidence."""


def yolox(
    things: Sequence[Thing], height: int = 96, width: int = 160, batch: int | str = 1, stride: int = 16
) -> FakeSession:
    """A YOLOX that finds `things`, in the last slot of its batch as in the first."""
    cells = [height // s * (width // s) for s in STRIDES]
    rows = np.zeros((sum(cells), 5 + len(LABELS)), np.float32)
    for (left, top, right, bottom), class_id, confidence in things:
        x, y = (left + right) / 2 / stride, (top + bottom) / 2 / stride
        column, row = int(x), int(y)
        cell = sum(cells[: STRIDES.index(stride)]) + row * (width // stride) + column
        size = np.log([(right - left) / stride, (bottom - top) / stride])
        rows[cell, :5] = x - column, y - row, *size, 0.95
        rows[cell, 5 + class_id] = confidence / 0.95
    output = np.repeat(rows[None], batch if isinstance(batch, int) else 1, axis=0)
    return FakeSession({"images": (batch, 3, height, width)}, [{"output": output}], "yolox")


def nanodet(things: Sequence[Thing], size: int = 160, stride: int = 16) -> FakeSession:
    """A NanoDet that finds `things`; their sides must be under 7 strides from the centre of their cell."""
    outputs: dict[str, NDArray[np.float32]] = {}
    for number, s in enumerate(STRIDES):
        n = size // s
        outputs[f"a{number}"] = np.zeros((n * n, len(LABELS)), np.float32)
        outputs[f"b{number}"] = np.zeros((n * n, 32), np.float32)
    scores, sides = (outputs[f"{letter}{STRIDES.index(stride)}"] for letter in "ab")
    for (left, top, right, bottom), class_id, confidence in things:
        column, row = int((left + right) / 2 / stride), int((top + bottom) / 2 / stride)
        x, y = (column + 0.5) * stride - 0.5, (row + 0.5) * stride - 0.5
        cell = row * (size // stride) + column
        scores[cell, class_id] = confidence
        reach = np.array([x - left, y - top, right - x, bottom - y]) / stride
        sides[cell] = np.concatenate([two_bins(side) for side in reach])
    return FakeSession({"image": (1, 3, size, size)}, [outputs], "nanodet")


def two_bins(side: float) -> NDArray[np.float32]:
    """(8,) logits whose softmax has its mean at `side`."""
    low = int(side)
    weights = np.full(8, 1e-9)
    weights[low] += 1 - (side - low)
    weights[low + 1] += side - low
    return np.log(weights).astype(np.float32)
