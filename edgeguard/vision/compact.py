"""Detectors that decode inside their graph: K rows a picture come back, and only doubles are left to drop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec, Outputs, Session
from edgeguard.types import Detections
from edgeguard.vision.letterbox import Letterbox
from edgeguard.vision.network import NetworkDetector

COLUMNS = 6


class CompactDetector(NetworkDetector):
    """One output (batch, K, 6): x1, y1, x2, y2 in tensor pixels, confidence, class; `spec` is its input."""

    def __init__(
        self,
        session: Session,
        labels: tuple[str, ...],
        confidence: float = 0.35,
        iou: float = 0.45,
        classes: Sequence[str] | None = None,
        *,
        spec: InputSpec,
    ) -> None:
        self._spec = spec
        super().__init__(session, labels, confidence, iou, classes)
        self._output = self._check_output()

    def _make_letterbox(self) -> Letterbox:
        return letterbox_of(self._spec)

    def _candidates(self, outputs: Outputs, slot: int) -> Detections:
        rows = outputs[self._output][slot]
        rows = rows[rows[:, 4] >= self.confidence]
        class_id = rows[:, 5].astype(np.int32)
        found = Detections(rows[:, :4], rows[:, 4], class_id)
        return found[self._wanted[class_id]]

    def _check_output(self) -> str:
        if len(self._session.outputs) == 1:
            ((name, shape),) = self._session.outputs.items()
            if len(shape) == 3 and shape[2] == COLUMNS:
                return name
        raise ModelError(
            f"{self.model.name} has the outputs {dict(self._session.outputs)}, expected one of "
            f"(batch, K, {COLUMNS}): export it with its decoding inside (`python -m export.onnx`)"
        )


def letterbox_of(spec: InputSpec) -> Letterbox:
    """The preprocessing that a card asks for."""
    return Letterbox(spec.width_px, spec.height_px, spec.pad, spec.mode, spec.mean, spec.std, spec.order)
