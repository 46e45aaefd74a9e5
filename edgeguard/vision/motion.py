"""Finds what moves before a still background, without any model (Zivkovic 2004, the MOG2 of OpenCV)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from edgeguard.types import Detections, Frame, ModelRef, PixelFormat
from edgeguard.vision.detector import clipped

LONG_SIDE_PX = 320
"""The picture is examined at this size."""
WARM_UP_FRAMES = 5
"""So many frames show what the background is before anything is reported."""
GLOBAL_CHANGE = 0.5
"""When more of the picture changes than this, the light or the camera changed, and nothing in the scene."""
_SHADOW = 0.6
"""A pixel darker than the background, but no darker than this share of it, lies in a shadow."""
_GAP_PX = 3
"""Fragments one above the other and no farther apart than this are one thing: head, trunk, legs."""


class MotionDetector:
    """One class, `motion`; one background per `frame.source`, learnt anew when the light changes.

    `min_area` is the smallest box, as a share of the picture. What stops moving becomes background in about
    `memory_s`, at any frame rate, and also when no frames come. The confidence grows with the area, from
    0.5 at `min_area` towards 1.
    """

    labels: tuple[str, ...] = ("motion",)
    model = ModelRef("motion-mog2", None, "opencv")

    def __init__(self, min_area: float = 0.0015, memory_s: float = 30.0) -> None:
        self._min_area = min_area
        self._memory_s = memory_s
        self._scenes: dict[str, _Scene] = {}

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [self._detect(frame) for frame in frames]

    def close(self) -> None:
        self._scenes.clear()

    def _detect(self, frame: Frame) -> Detections:
        luma = small_luma(frame)
        if frame.source not in self._scenes:
            self._scenes[frame.source] = _Scene(self._memory_s)
        boxes = self._boxes(self._scenes[frame.source].foreground(luma, frame.pts_ns))
        area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) / luma.size
        large = area >= self._min_area
        scale = [frame.width / luma.shape[1], frame.height / luma.shape[0]] * 2
        xyxy = (boxes[large] * scale).astype(np.float32)
        confidence = (1 - self._min_area / 2 / area[large]).astype(np.float32)
        return clipped(Detections(xyxy, confidence, np.zeros(len(xyxy), np.int32)), frame)

    def _boxes(self, mask: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(n, 4) corners of the things in the mask; specks are gone and fragments joined."""
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 1), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(closed)
        blobs = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= self._min_area * mask.size / 4]
        corners = blobs[:, :2].astype(np.float64)
        return join_fragments(np.hstack([corners, corners + blobs[:, 2:4]]), _GAP_PX)


class _Scene:
    """The background of one camera."""

    def __init__(self, memory_s: float) -> None:
        self._memory_s = memory_s
        self._pts_ns = 0
        self._forget()

    def foreground(self, luma: NDArray[np.uint8], pts_ns: int) -> NDArray[np.uint8]:
        """A mask of the picture's size, 1 where something is in front of the background."""
        gap_s = max(0, pts_ns - self._pts_ns) / 1e9
        self._pts_ns = pts_ns
        self._frames += 1
        rate = max(0.5 / self._frames, 1 - 0.5 ** (gap_s / self._memory_s))
        marks = self._subtractor.apply(cv2.GaussianBlur(luma, (3, 3), 0), learningRate=rate)
        mask = np.asarray(marks == 255, np.uint8)
        if self._frames <= WARM_UP_FRAMES:
            return np.zeros_like(mask)
        if np.count_nonzero(mask) > GLOBAL_CHANGE * mask.size:
            self._forget()
            return np.zeros_like(mask)
        return mask

    def _forget(self) -> None:
        self._frames = 0
        self._subtractor: Any = cv2.createBackgroundSubtractorMOG2(detectShadows=True)
        self._subtractor.setBackgroundRatio(0.5)  # with `rate`: the newcomer wins after memory_s
        self._subtractor.setNMixtures(3)
        self._subtractor.setVarMin(10)
        self._subtractor.setShadowThreshold(_SHADOW)


def small_luma(frame: Frame) -> NDArray[np.uint8]:
    """The picture's luma at `LONG_SIDE_PX`; averaging takes the noise away."""
    scale = LONG_SIDE_PX / max(frame.width, frame.height)
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    small = cv2.resize(frame.planes[0], size, interpolation=cv2.INTER_AREA)
    if frame.format is PixelFormat.BGR:
        small = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(small, np.uint8)


def join_fragments(xyxy: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Boxes that cover half of each other's width and lie at most `gap` apart in height become one."""
    while len(xyxy) > 1:
        left, top, right, bottom = (xyxy[:, i, None] for i in range(4))
        shared = np.minimum(right, right.T) - np.maximum(left, left.T)
        apart = np.maximum(top, top.T) - np.minimum(bottom, bottom.T)
        narrower = np.minimum(right - left, (right - left).T)
        groups, group = connected_components((2 * shared >= narrower) & (apart <= gap), directed=False)
        if groups == len(xyxy):
            break
        members = [xyxy[group == i] for i in range(groups)]
        xyxy = np.array([[*m[:, :2].min(axis=0), *m[:, 2:].max(axis=0)] for m in members])
    return xyxy
