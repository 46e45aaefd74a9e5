"""Capsules drawn as lit solids: a figure made of limbs becomes one small picture with alpha."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
"""Right, up, towards the camera; metres around the feet."""
Colour = tuple[float, float, float]
"""Blue, green, red: 0..255."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


class Light(NamedTuple):
    """One lamp and the brightness all around it."""

    towards: Vector
    """Unit vector from the ground to the lamp."""
    ambient: float
    direct: float
    shadow: float
    """0 no shadow .. 1 black."""


class Stand(NamedTuple):
    """Where something stands in a picture, and how large one metre is there."""

    x_px: float
    y_px: float
    scale: float
    """Pixels per metre."""
    elevation: float
    """Angle (rad) by which the camera looks down."""

    def place(self, at: Any) -> tuple[Any, Any, Any]:
        """Picture x, y and nearness, all in pixels, of a `Vector` or of a (3, n) array of them."""
        right, up, near = at
        cos, sin = math.cos(self.elevation), math.sin(self.elevation)
        x = self.x_px + right * self.scale
        y = self.y_px + (near * sin - up * cos) * self.scale
        return x, y, (near * cos + up * sin) * self.scale


class Limb(NamedTuple):
    """A capsule between two balls."""

    start: Vector
    end: Vector
    start_radius_m: float
    end_radius_m: float
    colour: Colour


class Sprite(NamedTuple):
    """A figure to be laid over a picture."""

    left: int
    top: int
    colour: NDArray[np.float32]
    """(h, w, 3), already multiplied by alpha."""
    alpha: NDArray[np.float32]
    """(h, w), 0..1."""


def bounds(limbs: Sequence[Limb], stand: Stand) -> Box:
    """The smallest box around the limbs."""
    centres = np.array([ball for limb in limbs for ball in (limb.start, limb.end)]).T
    radii = stand.scale * np.array([r for limb in limbs for r in (limb.start_radius_m, limb.end_radius_m)])
    x, y, _ = stand.place(centres)
    return (
        float(np.min(x - radii)),
        float(np.min(y - radii)),
        float(np.max(x + radii)),
        float(np.max(y + radii)),
    )


def render(limbs: Sequence[Limb], stand: Stand, light: Light) -> Sprite:
    """The limbs as one solid body."""
    canvas = _Canvas(bounds(limbs, stand), light)
    for limb in sorted(limbs, key=lambda limb: stand.place(limb.start)[2] + stand.place(limb.end)[2]):
        canvas.add(limb, stand)
    return canvas.sprite(soften_px=max(0.02 * stand.scale, 0.5))


class _Canvas:
    """Albedo, coverage, light and nearness of the pixels in a box."""

    def __init__(self, box: Box, light: Light) -> None:
        self._left, self._top = math.floor(box[0]) - 1, math.floor(box[1]) - 1
        w, h = math.ceil(box[2]) + 1 - self._left, math.ceil(box[3]) + 1 - self._top
        self._light = light
        self._x = np.arange(w, dtype=np.float32)[None, :] + np.float32(self._left + 0.5)
        self._y = np.arange(h, dtype=np.float32)[:, None] + np.float32(self._top + 0.5)
        self._flat = np.zeros((h, w, 4), np.float32)
        """Blue, green, red, all multiplied by coverage, and coverage."""
        self._lit = np.zeros((h, w), np.float32)
        self._near = np.full((h, w), -np.inf, np.float32)

    def add(self, limb: Limb, stand: Stand) -> None:
        ax, ay, an = stand.place(limb.start)
        bx, by, bn = stand.place(limb.end)
        ra, rb = limb.start_radius_m * stand.scale, limb.end_radius_m * stand.scale
        rows = _span(min(ay - ra, by - rb), max(ay + ra, by + rb), self._top)
        columns = _span(min(ax - ra, bx - rb), max(ax + ra, bx + rb), self._left)
        x, y = self._x[:, columns] - ax, self._y[rows] - ay
        dx, dy = bx - ax, by - ay
        squared = dx * dx + dy * dy + 1e-3
        along = np.minimum(np.maximum(x * (dx / squared) + y * (dy / squared), 0), 1)
        x, y, radius = x - along * dx, y - along * dy, along * (rb - ra) + ra
        off_axis = x * x + y * y
        bulge = np.sqrt(np.maximum(radius * radius - off_axis, 0))
        near = along * (bn - an) + bulge + an
        nearest, shade, flat = (layer[rows, columns] for layer in (self._near, self._lit, self._flat))
        cover = np.minimum(np.maximum(radius + 0.5 - np.sqrt(off_axis), 0), 1)
        cover *= near > nearest
        np.copyto(nearest, near, where=cover > 0.5)
        right, up, towards = (self._light.direct * part for part in self._light.towards)
        lit = np.maximum((x * right - y * up + bulge * towards) / radius, 0) + self._light.ambient
        shade += (lit - shade) * cover
        flat += (np.array((*limb.colour, 1), np.float32) - flat) * cover[..., None]

    def sprite(self, soften_px: float) -> Sprite:
        """`soften_px` blurs the light, so that limbs flow into each other like cloth."""
        alpha = self._flat[..., 3]
        share = cv2.GaussianBlur(alpha, (0, 0), soften_px) + np.float32(1e-3)
        lit = cv2.GaussianBlur(self._lit, (0, 0), soften_px) / share
        return Sprite(self._left, self._top, self._flat[..., :3] * lit[..., None], alpha)


def _span(low: float, high: float, origin: int) -> slice:
    """The pixels between two coordinates, counted from `origin`."""
    return slice(math.floor(low) - 1 - origin, math.ceil(high) + 1 - origin)
