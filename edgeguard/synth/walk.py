"""Where an actor is: waypoints in time, walked round smooth corners."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GRID_HZ = 50
CORNER_S = 0.7
"""Corners are rounded over this long."""


Course = NDArray[np.float64]
"""(n,), a value for each moment of a walk."""
Waypoint = tuple[float, float, float]
"""Time (s), x and z (m)."""


class Step(NamedTuple):
    """One moment of a walk."""

    x_m: float
    z_m: float
    heading: float
    """Direction of motion, rad: 0 is right in the picture, pi/2 away from the camera."""
    distance_m: float
    """Walked so far."""
    speed: float
    """m/s."""


class Walk:
    """Present from the first waypoint's time to the last one's."""

    def __init__(self, *waypoints: Waypoint) -> None:
        points = np.array(waypoints, np.float64)
        self.start_s, self.end_s = float(points[0, 0]), float(points[-1, 0])
        self._t = np.arange(self.start_s, self.end_s + 1 / GRID_HZ, 1 / GRID_HZ)
        self._x, self._z = (_smooth(np.interp(self._t, points[:, 0], points[:, k])) for k in (1, 2))
        dx, dz = np.gradient(self._x) * GRID_HZ, np.gradient(self._z) * GRID_HZ
        self._speed = np.hypot(dx, dz)
        self._distance = np.concatenate([[0.0], np.cumsum(self._speed[1:]) / GRID_HZ])
        self._heading = _headings(dx, dz, self._speed)

    def at(self, t_s: float) -> Step | None:
        """The step at a time, None while the actor is away."""
        if not self.start_s <= t_s <= self.end_s:
            return None
        rows = (self._x, self._z, self._heading, self._distance, self._speed)
        return Step(*(float(np.interp(t_s, self._t, row)) for row in rows))


def _smooth(values: Course) -> Course:
    n = int(CORNER_S * GRID_HZ) | 1
    window = np.hanning(n + 2)[1:-1]
    padded = np.pad(values, n // 2, mode="reflect", reflect_type="odd")
    return np.convolve(padded, window / window.sum(), mode="valid")


def _headings(dx: Course, dz: Course, speed: Course) -> Course:
    """Directions of motion; while standing, the last one stays; turns take time."""
    moving = np.flatnonzero(speed > 0.15)
    if not len(moving):
        return np.full(len(speed), -math.pi / 2)
    last = moving[np.clip(np.searchsorted(moving, np.arange(len(speed)), side="right") - 1, 0, None)]
    return _smooth(np.unwrap(np.arctan2(dz[last], dx[last])))
