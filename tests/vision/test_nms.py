"""What survives the suppression, whatever goes in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeguard.types import Detections
from edgeguard.vision.nms import nms

COORDINATE = st.integers(-40, 200)
BOX = st.tuples(COORDINATE, COORDINATE, st.integers(1, 90), st.integers(1, 90))
ROW = st.tuples(BOX, st.integers(1, 1000), st.integers(0, 3))


def detections(rows: list[tuple[tuple[int, int, int, int], int, int]]) -> Detections:
    return Detections(
        np.array([(x, y, x + w, y + h) for (x, y, w, h), _, _ in rows], np.float32).reshape(-1, 4),
        np.array([confidence / 1000 for _, confidence, _ in rows], np.float32),
        np.array([class_id for _, _, class_id in rows], np.int32),
    )


def overlaps(found: Detections) -> NDArray[np.float64]:
    """(n, n) IoU of boxes of one class; 0 where classes differ."""
    xyxy = found.xyxy.astype(np.float64)
    low = np.maximum(xyxy[:, None, :2], xyxy[None, :, :2])
    high = np.minimum(xyxy[:, None, 2:], xyxy[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = (xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1)
    same = found.class_id[:, None] == found.class_id
    return np.where(same, shared / (area[:, None] + area - shared), 0)


FOUND = st.lists(ROW, max_size=40).map(detections)
IOU = st.sampled_from([0.2, 0.45, 0.65])


@given(FOUND, IOU)
def test_no_two_survivors_of_a_class_overlap(found: Detections, iou: float) -> None:
    kept = overlaps(nms(found, iou))
    np.fill_diagonal(kept, 0)
    assert np.all(kept <= iou + 1e-6)


@given(FOUND, IOU)
def test_what_went_overlapped_a_better_one(found: Detections, iou: float) -> None:
    kept = nms(found, iou)
    both = Detections(*(np.concatenate([getattr(d, f) for d in (found, kept)]) for f in Detections.__slots__))
    overlap = overlaps(both)[: len(found), len(found) :]
    better = kept.confidence[None] >= found.confidence[:, None]
    itself = np.isclose(overlap, 1)
    assert np.all(np.any(better & ((overlap > iou - 1e-6) | itself), axis=1))


@given(FOUND, IOU)
def test_most_confident_first_and_idempotent(found: Detections, iou: float) -> None:
    kept = nms(found, iou)
    assert np.all(np.diff(kept.confidence) <= 0)
    again = nms(kept, iou)
    assert np.array_equal(again.xyxy, kept.xyxy)
    assert np.array_equal(again.class_id, kept.class_id)


@given(FOUND, st.integers(1, 10))
def test_only_the_top_k_compete(found: Detections, top_k: int) -> None:
    kept = nms(found, 0.5, top_k)
    assert len(kept) <= top_k
    assert np.array_equal(
        kept.xyxy, nms(found[np.argsort(-found.confidence, kind="stable")[:top_k]], 0.5).xyxy
    )


def test_classes_do_not_compete_even_beyond_the_left_edge() -> None:
    """Boxes that stick out to the left must not reach those of the next class."""
    found = detections([((100, 100, 50, 50), 900, 0), ((-51, -51, 50, 50), 800, 1)])
    assert len(nms(found, 0.45)) == 2
