from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeguard.vision.association import assign, likeness

Box = tuple[float, float, float, float]
BOX: Box = (10, 20, 50, 100)

worths = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1))
)


def alike(a: Box, b: Box, margin: float = 0) -> float:
    return float(likeness(columns(a), np.array([margin], float), columns(b))[0, 0])


def columns(*boxes: Box) -> np.ndarray:
    return np.array(boxes, float).T


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (BOX, 1),
        ((50, 20, 90, 100), 0),  # edge to edge
        ((300, 20, 340, 100), 0),
        ((30, 20, 70, 100), 1 / 3),  # half a width aside
        ((10, 60, 50, 140), 1 / 3),  # half a height below
        ((30, 60, 70, 140), 1 / 9),  # both
        ((10, 20, 50, 60), 1 / 2),  # half as high
        ((50, 100, 10, 20), 0),  # inside out
    ],
)
def test_likeness_is_the_iou_along_x_times_the_iou_along_y(other: Box, expected: float) -> None:
    assert alike(BOX, other) == pytest.approx(expected)
    assert alike(other, BOX) == pytest.approx(expected)


def test_a_margin_lets_boxes_meet_that_have_moved_apart() -> None:
    apart = (55, 20, 95, 100)
    assert alike(BOX, apart) == 0
    assert 0 < alike(BOX, apart, margin=10) < alike(BOX, apart, margin=20) < 1
    assert alike(BOX, BOX, margin=10) == 1


def test_each_tracked_box_has_its_own_margin() -> None:
    values = likeness(columns(BOX, BOX), np.array([0.0, 10.0]), columns((55, 20, 95, 100)))
    assert values.shape == (2, 1)
    assert values[0, 0] == 0 < values[1, 0]


@given(worths, st.floats(0.05, 0.95))
def test_assign_finds_the_best_pairs_and_none_below_the_floor(worth: np.ndarray, floor: float) -> None:
    rows, columns = assign(worth, floor)
    assert len(set(rows)) == len(rows) == len(set(columns)) == len(columns)
    assert (worth[rows, columns] >= floor).all()
    assert worth[rows, columns].sum() == pytest.approx(best_sum(np.where(worth >= floor, worth, 0)))


def best_sum(worth: np.ndarray) -> float:
    """By trying everything."""
    short, long = sorted(worth.shape)
    table = worth if worth.shape[0] == short else worth.T
    return max(float(table[range(short), list(order)].sum()) for order in permutations(range(long), short))


def test_the_pair_that_is_best_alone_gives_way_to_the_sum() -> None:
    rows, columns = assign(np.array([[0.9, 0.8], [0.8, 0.0]]), 0.1)
    assert list(zip(rows, columns, strict=True)) == [(0, 1), (1, 0)]
