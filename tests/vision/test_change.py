from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeguard.types import PixelFormat
from edgeguard.vision.change import Change
from tests.vision.test_sanity import frame_of, yard


def test_only_what_changes_counts() -> None:
    change = Change()
    assert change.update(frame_of(yard(0), 0.0)) is None
    still = change.update(frame_of(yard(0), 0.2))
    moved = change.update(frame_of(yard(0) * 0.5, 0.4))
    assert still == (0, 200_000_000, 0.0)
    assert moved is not None
    assert moved[2] > 5


def test_frames_far_apart_or_out_of_order_tell_nothing() -> None:
    change = Change()
    change.update(frame_of(yard(0), 0.0))
    assert change.update(frame_of(yard(1), 2.0)) is None
    assert change.update(frame_of(yard(1), 1.9)) is None
    assert change.update(frame_of(yard(1), 2.1)) is not None


def test_bgr_is_compared_by_its_luma() -> None:
    change = Change()
    planes = [np.full((72, 128, 3), level, np.uint8) for level in (10, 30)]
    frames = [
        replace(frame_of(yard(0), at_s), format=PixelFormat.BGR, planes=(plane,))
        for at_s, plane in zip((0.0, 0.2), planes, strict=True)
    ]
    change.update(frames[0])
    moved = change.update(frames[1])
    assert moved is not None
    assert moved[2] == pytest.approx(20)
