"""Of boxes that show the same thing, keep the best."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edgeguard.types import Detections


def nms(found: Detections, iou: float, top_k: int = 1000) -> Detections:
    """Greedy non-maximum suppression, class by class, most confident first.

    No two survivors of one class overlap by more than `iou`. Only the `top_k` most confident rows compete.
    """
    if not len(found):
        return found
    best = found[np.argsort(-found.confidence, kind="stable")[:top_k]]
    # OpenCV keeps classes apart by shifting them; that needs corners that are not negative.
    corner = best.xyxy[:, :2] - best.xyxy[:, :2].min(axis=0)
    size = best.xyxy[:, 2:] - best.xyxy[:, :2]
    boxes = np.hstack([corner, size])
    dnn: Any = cv2.dnn  # whose type hints know no arrays
    kept = dnn.NMSBoxesBatched(boxes, best.confidence, best.class_id, -1.0, iou)
    return best[np.asarray(kept, np.intp)]
