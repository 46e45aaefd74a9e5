"""Detectors that decode inside their graph."""

from __future__ import annotations

import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.models import FakeSession, InputSpec
from edgeguard.types import Frame, PixelFormat
from edgeguard.vision.compact import CompactDetector

LABELS = ("person", "bicycle")
SPEC = InputSpec("images", 64, 32)
ROWS = np.array(
    [
        [8, 8, 24, 24, 0.9, 0],
        [9, 8, 24, 24, 0.8, 0],  # the same thing again
        [40, 0, 80, 16, 0.7, 1],
        [0, 0, 4, 4, 0.1, 0],
    ],
    np.float32,
)


def detector(rows: np.ndarray = ROWS, **more: object) -> CompactDetector:
    session = FakeSession({"images": ("batch", 3, 32, 64)}, [{"detections": rows[None]}])
    return CompactDetector(session, LABELS, 0.35, 0.5, spec=SPEC, **more)  # type: ignore[arg-type]


def frame() -> Frame:
    return Frame("yard", 0, 0, 0, 0, 128, 64, PixelFormat.BGR, (np.zeros((64, 128, 3), np.uint8),))


def test_rows_become_boxes_in_frame_pixels_without_doubles_and_doubtful_ones() -> None:
    (found,) = detector().detect([frame()])
    assert found.xyxy.tolist() == [[16, 16, 48, 48], [80, 0, 128, 32]]
    assert found.class_id.tolist() == [0, 1]
    assert found.confidence.tolist() == pytest.approx([0.9, 0.7])


def test_only_wanted_classes_are_reported() -> None:
    (found,) = detector(classes=["bicycle"]).detect([frame()])
    assert found.class_id.tolist() == [1]


def test_outputs_of_another_form_are_refused() -> None:
    with pytest.raises(ModelError, match=r"export\.onnx"):
        detector(np.zeros((4, 85), np.float32))
