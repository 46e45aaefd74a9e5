"""NanoDet-m (RangiLyu 2020): box sides as distributions (Li et al. 2020, arXiv:2006.04388)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import ModelError
from edgeguard.models import Outputs, Session
from edgeguard.types import Detections
from edgeguard.vision.letterbox import Letterbox
from edgeguard.vision.network import NetworkDetector, cell_grid

STRIDES = (8, 16, 32)
BINS = 8
"""A side is the expectation over 0..7 strides."""


class NanoDetDetector(NetworkDetector):
    """Per stride one output (cells, classes) of confidences and one (cells, 4 * BINS) of sides.

    The outputs are told apart by their shapes: published files mix up the names.
    """

    def __init__(
        self,
        session: Session,
        labels: tuple[str, ...],
        confidence: float = 0.35,
        iou: float = 0.6,
        classes: Sequence[str] | None = None,
    ) -> None:
        super().__init__(session, labels, confidence, iou, classes)
        self._levels = [self._level_of(stride) for stride in STRIDES]

    def _make_letterbox(self) -> Letterbox:
        return Letterbox(
            self.width_px,
            self.height_px,
            mode="stretch",
            mean=(103.53, 116.28, 123.675),
            std=(57.375, 57.12, 58.395),
        )

    def _candidates(self, outputs: Outputs, slot: int) -> Detections:
        found = []
        for level in self._levels:
            scores, sides = outputs[level.scores], outputs[level.sides]
            if scores.ndim == 3:
                scores, sides = scores[slot], sides[slot]
            cell, class_id = self._sure(scores)
            boxes = level.boxes(cell, sides[cell])
            found.append((boxes, scores[cell, class_id], class_id.astype(np.int32)))
        return Detections(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def _level_of(self, stride: int) -> _Level:
        cells = cell_grid(self.height_px, self.width_px, stride)
        scores = self._output_of(len(cells), len(self.labels))
        sides = self._output_of(len(cells), 4 * BINS)
        return _Level(scores, sides, stride, (cells + 0.5) * stride - 0.5)

    def _output_of(self, rows: int, columns: int) -> str:
        """The name of the output with this shape, not counting a batch dimension."""
        for name, shape in self._session.outputs.items():
            if shape[-2:] == (rows, columns):
                return name
        raise ModelError(
            f"{self.model.name} has no output of shape ({rows}, {columns}), "
            f"only {dict(self._session.outputs)}: "
            f"it is no NanoDet of {len(self.labels)} labels at {self.width_px}x{self.height_px} pixels"
        )


@dataclass(frozen=True, slots=True)
class _Level:
    """One feature map: its two outputs and its cells."""

    scores: str
    sides: str
    stride: int
    centres: NDArray[np.float32]
    """(cells, 2) in tensor pixels."""

    def boxes(self, cell: NDArray[np.intp], sides: NDArray[Any]) -> NDArray[Any]:
        """(n, 4) corners in tensor pixels of these cells with these (n, 4 * BINS) sides."""
        reach = _expectation(sides.reshape(-1, 4, BINS)) * self.stride
        centre = self.centres[cell]
        return np.hstack([centre - reach[:, :2], centre + reach[:, 2:]])


def _expectation(logits: NDArray[Any]) -> NDArray[Any]:
    """(n, 4): the mean bin of each softmax distribution in (n, 4, bins)."""
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    bins = np.arange(logits.shape[2], dtype=weights.dtype)
    return np.asarray(weights @ bins / weights.sum(axis=2))
