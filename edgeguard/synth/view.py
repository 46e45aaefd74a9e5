"""A camera above flat ground: pinhole, pitched down, in relative picture coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Point, Polygon

ASPECT = 16 / 9
"""Width of a metre against its height; fixed, so that zones fit pictures of every shape."""


@dataclass(frozen=True, slots=True)
class View:
    """World: x right, y up, z away from the camera's foot, in metres."""

    height_m: float
    pitch_deg: float
    focal: float
    """In picture heights: 1.0 is a vertical field of view of 53 degrees."""

    def depth(self, z_m: float) -> float:
        """Distance along the optical axis of the ground at `z_m`."""
        pitch = math.radians(self.pitch_deg)
        return z_m * math.cos(pitch) + self.height_m * math.sin(pitch)

    def project(self, x_m: float, z_m: float, y_m: float = 0.0) -> Point:
        """Relative picture coordinates of a point in the world, which must lie before the camera."""
        pitch = math.radians(self.pitch_deg)
        drop = self.height_m - y_m
        depth = z_m * math.cos(pitch) + drop * math.sin(pitch)
        down = drop * math.cos(pitch) - z_m * math.sin(pitch)
        return 0.5 + self.focal / ASPECT * x_m / depth, 0.5 + self.focal * down / depth

    def polygon(self, *corners: tuple[float, float]) -> Polygon:
        """A polygon on the ground, from (x, z) corners."""
        return tuple(self.project(x, z) for x, z in corners)

    def pixels_per_metre(self, z_m: float, height_px: int) -> float:
        return self.focal * height_px / self.depth(z_m)

    def elevation(self, z_m: float) -> float:
        """Angle (rad) under which the camera looks down on a person at `z_m`."""
        return math.atan2(self.height_m - 0.9, z_m)

    def horizon(self) -> float:
        """Relative y of the horizon."""
        return 0.5 - self.focal * math.tan(math.radians(self.pitch_deg))

    def ground(self, width: int, height: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """World x (height, width) and z (height,) seen by every pixel and row; nan above the horizon."""
        pitch = math.radians(self.pitch_deg)
        v = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5) / self.focal
        u = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5) * ASPECT / self.focal
        slope = v * math.cos(pitch) + math.sin(pitch)
        along = np.where(slope > 1e-3, self.height_m / np.maximum(slope, 1e-3), np.nan)
        z = along * (math.cos(pitch) - v * math.sin(pitch))
        return along[:, None] * u[None, :], z
