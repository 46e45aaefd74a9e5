"""Whether a picture shows anything that the last ones did not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Detections

_SAME = 0.7
"""IoU from which a box is where it was."""


class Attention:
    """Compares the things of interest on one camera's pictures with those of the last picture that had news.

    News is a thing detected from `begin_confidence` on that was not there, or one that has moved, or one that
    is gone, which takes that not even a detection of `low_confidence` is where it was. So a thing that comes
    and goes around one threshold is no news, and one that moves slowly is.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        wanted: frozenset[str] | None,
        begin_confidence: float,
        low_confidence: float,
    ) -> None:
        """`wanted`: labels of interest; None: all."""
        rows = [row for row, label in enumerate(labels) if wanted is None or label in wanted]
        self._classes = np.array(rows, np.int32)
        self._begin = begin_confidence
        self._low = low_confidence
        self._known = Detections.empty()

    def news(self, detections: Detections) -> bool:
        """Whether there is news, which is known from now on."""
        of_interest = np.isin(detections.class_id, self._classes) & (detections.confidence >= self._low)
        there = detections[of_interest]
        sure = there[there.confidence >= self._begin]
        if _found(sure, self._known).all() and _found(self._known, there).all():
            return False
        self._known = sure
        return True


def _found(these: Detections, among: Detections) -> NDArray[np.bool_]:
    """(n,) whether each of these is among those: the same class at the same place."""
    if not len(these) or not len(among):
        return np.zeros(len(these), bool)
    alike = _iou(these.xyxy, among.xyxy) >= _SAME
    found: NDArray[np.bool_] = (alike & (these.class_id[:, None] == among.class_id)).any(axis=1)
    return found


def _iou(these: NDArray[np.float32], those: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m) for corners (n, 4) and (m, 4)."""
    a, b = these[:, None], those[None]
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    common = sides.prod(axis=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=-1) for boxes in (a, b)]
    iou: NDArray[np.float32] = common / np.maximum(areas[0] + areas[1] - common, 1e-9)
    return iou
