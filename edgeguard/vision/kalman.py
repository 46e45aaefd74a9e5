"""Constant-velocity Kalman filters for the corners of many boxes at once.

As in SORT (Bewley et al., "Simple online and realtime tracking", 2016), with noise in proportion to the
size of the box as in DeepSORT (Wojke et al., 2017), and with acceleration as continuous white noise
(Bar-Shalom et al., "Estimation with applications to tracking and navigation", 2001, section 6.2), which
holds for any interval between frames. The four coordinates of a box are equally noisy, so they share one
2 x 2 covariance, and no matrix is inverted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POSITION_NOISE = 0.06
"""Standard deviation of a detected coordinate, in sizes of the box."""
START_SPEED = 0.8
"""Standard deviation of the unknown speed of a new box, in sizes per second."""
ACCELERATION = 0.3
"""Square root of the acceleration's noise density, in sizes per second^1.5."""

_CORNERS, _VELOCITY, _SPREAD = slice(0, 4), slice(4, 8), slice(8, 12)
_SIZE = np.array((-0.5, -0.5, 0.5, 0.5))
_VARIANCE, _COVARIANCE, _SPEED_VARIANCE, _SQUARED_SIZE = range(8, 12)


class BoxFilters:
    """The filters of n boxes, one column each.

    `_table` (12, n) holds the corners in px, their velocities in px/s, and the spread: variance of a
    coordinate in px², its covariance with the velocity, variance of the velocity, squared size in px².
    Coordinates lie along the first axis everywhere here, since numpy is fastest along the last.
    """

    def __init__(self) -> None:
        self._table = np.zeros((12, 0))

    @property
    def corners(self) -> Floats:
        """(4, n) x1, y1, x2, y2."""
        return self._table[_CORNERS]

    def margin(self, sigmas: float, sizes: float) -> Floats:
        """(n,) px that a coordinate may be off: `sigmas` standard deviations, at most `sizes` of the box."""
        table = self._table
        square: Floats = np.minimum(sigmas**2 * table[_VARIANCE], sizes**2 * table[_SQUARED_SIZE])
        return np.sqrt(square)

    def add(self, seen: Floats) -> None:
        """Begin filters at the corners `seen` (4, k), at rest."""
        table = np.zeros((12, seen.shape[1]))
        table[_CORNERS] = seen
        table[_SQUARED_SIZE] = _squared_size(seen)
        table[_VARIANCE] = (2 * POSITION_NOISE) ** 2 * table[_SQUARED_SIZE]
        table[_SPEED_VARIANCE] = START_SPEED**2 * table[_SQUARED_SIZE]
        self._table = np.concatenate((self._table, table), axis=1)

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forget the others."""
        self._table = self._table[:, which]

    def predict(self, dt_s: float) -> None:
        """Move all filters `dt_s` seconds on."""
        table = self._table
        table[_CORNERS] += dt_s * table[_VELOCITY]
        table[_SPREAD] = _growth(dt_s) @ table[_SPREAD]

    def correct(self, which: NDArray[np.intp], seen: Floats) -> None:
        """Pull the filters `which` (k,) towards where their corners were seen, (4, k)."""
        table = self._table.take(which, axis=1)
        total = table[_VARIANCE] + POSITION_NOISE**2 * table[_SQUARED_SIZE]
        gain, speed_gain = table[_VARIANCE] / total, table[_COVARIANCE] / total
        surprise = seen - table[_CORNERS]
        table[_CORNERS] += gain * surprise
        table[_VELOCITY] += speed_gain * surprise
        table[_SPEED_VARIANCE] -= speed_gain * table[_COVARIANCE]
        table[_VARIANCE : _COVARIANCE + 1] *= 1 - gain
        table[_SQUARED_SIZE] = _squared_size(table[_CORNERS])
        self._table[:, which] = table


def _squared_size(corners: Floats) -> Floats:
    """(n,) square of the mean of width and height, at least one pixel."""
    return np.maximum(_SIZE @ corners, 1.0) ** 2


def _growth(dt_s: float) -> Floats:
    """(4, 4) what time does to the spread, which is linear in itself."""
    noise = ACCELERATION**2 * dt_s
    return np.array(
        (
            (1, 2 * dt_s, dt_s**2, noise * dt_s**2 / 3),
            (0, 1, dt_s, noise * dt_s / 2),
            (0, 0, 1, noise),
            (0, 0, 0, 1),
        )
    )
