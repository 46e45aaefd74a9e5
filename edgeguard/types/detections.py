"""What one picture shows: arrays side by side, one row per thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _check(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Things found in one frame, n rows."""

    xyxy: NDArray[np.float32]
    """(n, 4) corners in pixels of the frame."""
    confidence: NDArray[np.float32]
    """(n,), 0..1."""
    class_id: NDArray[np.int32]
    """(n,), row of the detector's labels."""

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        _check("xyxy", self.xyxy, (n, 4))
        _check("confidence", self.confidence, (n,))
        _check("class_id", self.class_id, (n,))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Detections:
        """The rows picked by a boolean mask, an index array or a slice."""
        return Detections(self.xyxy[rows], self.confidence[rows], self.class_id[rows])

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Confirmed tracks visible in one frame, n rows, in order of `track_id`."""

    source: str
    sequence: int
    pts_ns: int
    utc_ns: int
    width: int
    """Frame width in pixels."""
    height: int
    """Frame height in pixels."""
    xyxy: NDArray[np.float32]
    """(n, 4) corners in pixels of the frame."""
    confidence: NDArray[np.float32]
    """(n,), 0..1."""
    class_id: NDArray[np.int32]
    """(n,), row of `labels`."""
    track_id: NDArray[np.int64]
    """(n,), unique per source while the daemon runs."""
    labels: tuple[str, ...]
    """Class names of the detector."""

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        _check("xyxy", self.xyxy, (n, 4))
        _check("confidence", self.confidence, (n,))
        _check("class_id", self.class_id, (n,))
        _check("track_id", self.track_id, (n,))

    def __len__(self) -> int:
        return len(self.xyxy)

    def label(self, row: int) -> str:
        return self.labels[int(self.class_id[row])]

    @property
    def anchors(self) -> NDArray[np.float64]:
        """(n, 2) bottom centres, relative 0..1: where the things stand."""
        x = (self.xyxy[:, 0] + self.xyxy[:, 2]) / 2 / self.width
        y = self.xyxy[:, 3] / self.height
        return np.stack([x, y], axis=1).astype(np.float64)
