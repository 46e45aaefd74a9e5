"""How much the picture changes from one frame to the next: motion energy."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Frame, PixelFormat

_SIZE_PX = (64, 36)
_SAMPLES_PX = (320, 180)
"""Only so many pixels are read: 25 for each that is compared are enough, and cost little."""
_LONGEST_NS = 1_000_000_000
"""Frames that are further apart do not tell when it changed."""


class Change:
    """Of one camera; pictures in host memory."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._pts_ns = 0

    def update(self, frame: Frame) -> tuple[int, int, float] | None:
        """Start and end (monotonic) and the mean absolute difference of the small luma (0..255) between them.

        None for the first frame, for one that is older than the last, and after a second without any.
        """
        luma = _luma(frame)
        last, start_ns = self._last, self._pts_ns
        self._last, self._pts_ns = luma, frame.pts_ns
        if last is None or not 0 < frame.pts_ns - start_ns <= _LONGEST_NS:
            return None
        return start_ns, frame.pts_ns, float(np.abs(luma - last).mean())


def _luma(frame: Frame) -> NDArray[np.float32]:
    few = cv2.resize(frame.planes[0], _SAMPLES_PX, interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(few, _SIZE_PX, interpolation=cv2.INTER_AREA)
    if frame.format is PixelFormat.BGR:
        small = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(small, np.float32)
