"""The golden set: pictures that travel with a model, and what its FP32 form found in them.

An engine passes if it finds the same things again. That needs no annotated pictures on the device, and
catches what goes wrong there: INT8 that detects nothing, or everything, and kernels that compute nonsense.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import ModelError
from edgeguard.models.card import InputSpec
from edgeguard.models.files import reading, sha256_of
from edgeguard.models.session import Session

SURE = 0.3
"""Confidence from which a thing of one side must be found by the other ..."""
SEEN = 0.2
"""... with at least this confidence, so that one at the threshold does not fail for a trifle."""
SAME_IOU = 0.5
DOUBLE_IOU = 0.65
LIMIT_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, eq=False)
class GoldenSet:
    """Pictures and the truth about them."""

    frames: NDArray[np.uint8]
    """(n, height, width, 3), BGR, of the size that the model takes."""
    detections: NDArray[np.float32]
    """(n, k, 6): x1, y1, x2, y2 in pixels, confidence, class."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far an engine says what FP32 said."""

    recall: float
    """Share of FP32's sure detections that the engine has, too."""
    precision: float
    """Share of the engine's sure detections that FP32 has, too."""
    things: int
    """Sure detections of FP32, without doubles."""

    @property
    def score(self) -> float:
        """The worse of the two, 0 to 1."""
        return min(self.recall, self.precision)


def read_golden(path: Path, sha256: str | None = None) -> GoldenSet:
    """ModelError if the file is missing, is not the one its card names, or is no golden set."""
    if sha256 is not None and sha256_of(path) != sha256:
        raise ModelError(f"{path} is not the golden set that its card names: export the model again")
    try:
        with reading(path):
            data = path.read_bytes()
        _refuse_bombs(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            found = GoldenSet(arrays["frames"], arrays["detections"])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise ModelError(f"{path} is no golden set ({error}): export the model again") from error
    _require_shapes(found, path)
    return found


def write_golden(path: Path, golden: GoldenSet) -> None:
    """Make the file; OSError if the disk refuses."""
    with path.open("wb") as out:
        np.savez_compressed(out, frames=golden.frames, detections=golden.detections)


def tensor_of(frame: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
    """(1, ...): a picture (height, width, 3) in BGR, as the model wants it."""
    picture = frame[..., ::-1] if spec.order == "rgb" else frame
    values = (picture - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)
    if spec.layout == "nchw":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[None])


def try_out(session: Session, spec: InputSpec, golden: GoldenSet) -> Agreement:
    """Run the golden set through `session`, whose one output is (batch, k, 6). ModelError if it is not."""
    found = [_rows(session, tensor_of(frame, spec), spec) for frame in golden.frames]
    return agreement(golden.detections, np.stack(found))


def agreement(expected: NDArray[np.float32], found: NDArray[np.float32]) -> Agreement:
    """Of detections (n, k, 6), picture by picture; a thing found twice counts once."""
    recalled = [_shared(mine, other) for mine, other in zip(expected, found, strict=True)]
    justified = [_shared(other, mine) for mine, other in zip(expected, found, strict=True)]
    return Agreement(_share(recalled), _share(justified), sum(total for _, total in recalled))


def _rows(session: Session, tensor: NDArray[np.float32], spec: InputSpec) -> NDArray[np.float32]:
    outputs = session.infer({spec.tensor: tensor})
    (rows,) = outputs.values() if len(outputs) == 1 else (np.empty(0),)
    if rows.ndim != 3 or rows.shape[0] != 1 or rows.shape[2] != 6:
        shapes = {name: array.shape for name, array in outputs.items()}
        raise ModelError(
            f"{session.model.name} gives {shapes}, expected one output (1, k, 6) as its card says: "
            f"export the model again"
        )
    if not np.isfinite(rows).all():
        raise ModelError(f"{session.model.name} gives numbers that are none: do not use this engine")
    return np.asarray(rows[0], np.float32)


def _shared(mine: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[int, int]:
    """How many sure things of `mine` are in `other`, and how many there are."""
    sure = _without_doubles(mine[mine[:, 4] >= SURE])
    seen = other[other[:, 4] >= SEEN]
    same = (_iou(sure, seen) >= SAME_IOU) & (sure[:, None, 5] == seen[None, :, 5])
    return int(same.any(axis=1).sum()), len(sure)


def _share(counts: list[tuple[int, int]]) -> float:
    total = sum(count for _, count in counts)
    return sum(shared for shared, _ in counts) / total if total else 1.0


def _without_doubles(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The most confident of those that overlap in one class."""
    rows = rows[np.argsort(-rows[:, 4], kind="stable")]
    double = (_iou(rows, rows) > DOUBLE_IOU) & (rows[:, None, 5] == rows[None, :, 5])
    kept: list[int] = []
    for row in range(len(rows)):
        if not double[row, kept].any():
            kept.append(row)
    return rows[kept]


def _iou(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """(len(left), len(right))."""
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:4], right[None, :, 2:4])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(rows[:, 2:4] - rows[:, :2]).clip(0).prod(axis=1) for rows in (left, right)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9), np.float32)


def _refuse_bombs(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        total = sum(item.file_size for item in packed.infolist())
    if total > LIMIT_BYTES:
        raise ValueError(f"it unpacks to {total} bytes")


def _require_shapes(golden: GoldenSet, path: Path) -> None:
    frames, rows = golden.frames, golden.detections
    fits = frames.ndim == 4 and frames.shape[3] == 3 and rows.ndim == 3 and rows.shape[2] == 6
    if not fits or frames.dtype != np.uint8 or len(frames) != len(rows) or not len(frames):
        raise ModelError(f"{path} has arrays {frames.shape} and {rows.shape}, not those of a golden set")
    if not (golden.detections[..., 4] >= SURE).any():
        raise ModelError(
            f"in the pictures of {path} FP32 finds nothing, so they prove nothing: choose others"
        )
