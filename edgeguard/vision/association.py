"""Which box is which: likeness of boxes, and the best one-to-one choice by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def likeness(
    tracked: NDArray[np.float64], margin: NDArray[np.float64], seen: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, m), 0..1: how well n tracked boxes, corners (4, n), and m seen ones, (4, m), agree.

    The IoU along x times the IoU along y, which unlike the IoU of areas also asks for equal heights
    (compare the height-modulated IoU of Hybrid-SORT, Yang et al., 2024). Both boxes are grown on every
    side by `margin` (n,) pixels of the tracked one, so that boxes that moved past each other's edge
    still compare (buffered IoU: Yang et al., "Hard to track objects with irregular motions", 2023).
    """
    tracked, seen = tracked[:, :, None], seen[:, None]
    margins = 2 * margin[:, None]
    common = np.minimum(tracked[2:], seen[2:]) - np.maximum(tracked[:2], seen[:2])
    common += margins
    hull = np.maximum(tracked[2:], seen[2:]) - np.minimum(tracked[:2], seen[:2])
    hull += margins
    common /= hull
    np.maximum(common, 0, out=common)
    alike: NDArray[np.float64] = common[0] * common[1]
    return alike


def assign(worth: NDArray[np.float64], floor: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pairs whose `worth` (n, m) sums highest, none of them below `floor`."""
    worth = np.where(worth >= floor, worth, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    chosen = worth[rows, columns] > 0
    return rows[chosen], columns[chosen]
