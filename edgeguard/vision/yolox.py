"""YOLOX (Ge et al. 2021, arXiv:2107.08430): one output, undecoded, confidences already in 0..1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeguard.errors import ModelError
from edgeguard.models import Outputs, Session
from edgeguard.types import Detections
from edgeguard.vision.letterbox import Letterbox
from edgeguard.vision.network import NetworkDetector, cell_grid

STRIDES = (8, 16, 32)


class YoloxDetector(NetworkDetector):
    """Output (batch, cells, 5 + classes): x, y, log width, log height in strides, objectness, classes."""

    def __init__(
        self,
        session: Session,
        labels: tuple[str, ...],
        confidence: float = 0.35,
        iou: float = 0.45,
        classes: Sequence[str] | None = None,
    ) -> None:
        super().__init__(session, labels, confidence, iou, classes)
        grids = [cell_grid(self.height_px, self.width_px, stride) for stride in STRIDES]
        self._cells = np.concatenate(grids)
        self._strides = np.repeat(np.array(STRIDES, np.float32), [len(grid) for grid in grids])[:, None]
        self._output = self._check_output()

    def _make_letterbox(self) -> Letterbox:
        return Letterbox(self.width_px, self.height_px)

    def _candidates(self, outputs: Outputs, slot: int) -> Detections:
        rows = outputs[self._output][slot]
        likely = np.flatnonzero(rows[:, 4] >= self.confidence)  # no score exceeds its objectness
        scores = rows[likely, 4:5] * rows[likely, 5:]
        row, class_id = self._sure(scores)
        cells = likely[row]
        centre = (rows[cells, :2] + self._cells[cells]) * self._strides[cells]
        half = np.exp(rows[cells, 2:4]) * self._strides[cells] / 2
        return Detections(
            np.hstack([centre - half, centre + half]), scores[row, class_id], class_id.astype(np.int32)
        )

    def _check_output(self) -> str:
        """The name of the output, if it is what a YOLOX of this size and these labels has."""
        expected = (len(self._cells), 5 + len(self.labels))
        for name, shape in self._session.outputs.items():
            if shape[1:] == expected:
                return name
        raise ModelError(
            f"{self.model.name} has the outputs {dict(self._session.outputs)}, "
            f"expected (batch, {expected[0]}, {expected[1]}): "
            f"it is no YOLOX of {len(self.labels)} labels at {self.width_px}x{self.height_px} pixels"
        )
