"""The NanoDet decoder on outputs made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.vision.nanodet import NanoDetDetector
from tests.support.pictures import grey
from tests.vision.networks import LABELS, STRIDES, nanodet


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("box", [(60, 50, 90, 80), (20.5, 30.25, 54, 61), (105, 100, 141, 133)])
def test_finds_the_box_in_frame_pixels(stride: int, box: tuple[float, float, float, float]) -> None:
    detector = NanoDetDetector(nanodet([(box, 1, 0.7)], stride=stride), LABELS)
    (found,) = detector.detect([grey(320, 80)])
    assert found.xyxy == pytest.approx(np.array([box]) * [2, 0.5, 2, 0.5], abs=1e-2)
    assert found.confidence == pytest.approx([0.7])
    assert found.class_id.tolist() == [1]


def test_joins_the_levels_and_keeps_the_classes_asked_for() -> None:
    session = nanodet(
        [((60, 50, 90, 80), 1, 0.7), ((20, 30, 44, 61), 0, 0.6), ((100, 100, 140, 130), 2, 0.9)]
    )
    detector = NanoDetDetector(session, LABELS, classes=("person", "car"))
    (found,) = detector.detect([grey()])
    assert found.class_id.tolist() == [2, 0]


def test_feeds_normalised_bgr() -> None:
    session = nanodet([])
    NanoDetDetector(session, LABELS).detect([grey(value=128)])
    fed = session.last_feeds["image"][0, :, 5, 5]
    assert fed == pytest.approx([(128 - 103.53) / 57.375, (128 - 116.28) / 57.12, (128 - 123.675) / 58.395])


def test_refuses_labels_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match=r"no output of shape \(400, 2\)"):
        NanoDetDetector(nanodet([]), LABELS[:2])
