"""Paints the still part of a scene: textured flat pieces in the world, seen through a `View`."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.synth.solids import Colour
from edgeguard.synth.texture import Texture
from edgeguard.synth.view import View

Place = tuple[float, float, float]
"""World x, y (up), z in metres."""
Corners = tuple[Place, Place, Place, Place]
Spot = tuple[float, float]
"""World x and z of a point on the ground."""
FIXED_POINT_BITS = 4
LARGE_PX = 960
"""Pictures wider than this are painted in their own size, smaller ones in double size."""


class Easel:
    """Paint far things first; the picture is painted larger than wanted and reduced at the end."""

    def __init__(self, view: View, width: int, height: int, rng: np.random.Generator) -> None:
        self.view = view
        self.rng = rng
        self._size = (width, height)
        self._zoom = 1 if width > LARGE_PX else 2
        self._width, self._height = width * self._zoom, height * self._zoom
        self._picture: NDArray[Any] = np.zeros((self._height, self._width, 3), np.float32)

    def sky(self, above: Colour, below: Colour) -> None:
        """From the picture's top down to the horizon."""
        rows = max(1, int(self.view.horizon() * self._height) + 1)
        share = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
        self._picture[:rows] = np.array(above, np.float32) * (1 - share) + np.array(below, np.float32) * share

    def ground(self, texture: Texture, tile_m: float) -> None:
        """The texture again and again over the whole ground, every `tile_m`."""
        x, z = self.view.ground(self._width, self._height)
        size = len(texture)
        for rows, blur_px in _bands(z):
            smooth = cv2.blur(texture, (blur_px, blur_px), borderType=cv2.BORDER_REFLECT)
            across = (x[rows] / tile_m * size % size).astype(np.float32)
            away = np.broadcast_to((z[rows, None] / tile_m * size % size).astype(np.float32), across.shape)
            self._picture[rows] = cv2.remap(
                smooth, across, away, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
            )

    def quad(self, corners: Corners, texture: Texture) -> None:
        """A flat piece; corners go with the texture's top left, top right, bottom right, bottom left."""
        target = np.array([self._pixel(corner) for corner in corners], np.float32)
        low = np.maximum(np.floor(target.min(0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(target.max(0)).astype(int) + 2, (self._width, self._height))
        w, h = (high - low).tolist()
        if w <= 0 or h <= 0:
            return
        target -= low.astype(np.float32)
        layer = _warp(_reduced(texture, target), target, (w, h))
        inside = np.zeros((h, w), np.float32)
        outline = np.round(target * (1 << FIXED_POINT_BITS)).astype(np.int32)
        cv2.fillConvexPoly(inside, outline, 1.0, cv2.LINE_8, FIXED_POINT_BITS)
        window = self._picture[low[1] : low[1] + h, low[0] : low[0] + w]
        window += (layer[..., :3] - window) * (layer[..., 3] / 255 * inside)[..., None]

    def wall(self, a: Spot, b: Spot, low: float, high: float, texture: Texture) -> None:
        """An upright piece from ground point a (left) to b (right), between two heights."""
        (ax, az), (bx, bz) = a, b
        self.quad(((ax, high, az), (bx, high, bz), (bx, low, bz), (ax, low, az)), texture)

    def front(self, left: float, right: float, z: float, up: tuple[float, float], texture: Texture) -> None:
        """An upright piece that faces the camera, between two heights."""
        self.wall((left, z), (right, z), *up, texture)

    def floor(
        self, left: float, right: float, near: float, far: float, texture: Texture, up: float = 0.0
    ) -> None:
        """A level piece, the texture's top being far."""
        self.quad(((left, up, far), (right, up, far), (right, up, near), (left, up, near)), texture)

    def box(self, at: Place, size: Place, texture: Texture) -> None:
        """A crate: `at` is its left near bottom edge; top, the side that can be seen, and front."""
        (left, low, near), (wide, high, deep) = at, size
        right, far, up = left + wide, near + deep, (low, low + high)
        self.floor(left, right, near, far, texture * 1.12, low + high)
        if left > 0:
            self.wall((left, far), (left, near), *up, texture * 0.8)
        if right < 0:
            self.wall((right, near), (right, far), *up, texture * 0.7)
        self.front(left, right, near, up, texture)

    def shade(self, corners: tuple[Spot, ...], strength: float, blur_px: float) -> None:
        """Darken a polygon on the ground, softly; `blur_px` in pixels of a 360-row picture."""
        mask = np.zeros((self._height, self._width), np.float32)
        cv2.fillPoly(mask, [np.array([self._pixel((x, 0, z)) for x, z in corners]).astype(np.int32)], 1.0)
        soft = cv2.GaussianBlur(mask, (0, 0), blur_px * self._height / 360)
        self._picture *= 1 - strength * soft[..., None]

    def glow(self, at: Place, radius_m: float, colour: Colour, strength: float) -> None:
        """Light around a lamp."""
        u, v = self._pixel(at)
        radius = radius_m * self.view.pixels_per_metre(at[2], self._height)
        x = np.exp(-((np.arange(self._width, dtype=np.float32) - u) ** 2) / (2 * radius**2))
        y = np.exp(-((np.arange(self._height, dtype=np.float32) - v) ** 2) / (2 * radius**2))
        light = strength * y[:, None] * x[None, :]
        self._picture += (np.array(colour, np.float32) - self._picture) * light[..., None]

    def finish(self, vignette: float = 0.25) -> NDArray[np.uint8]:
        """(height, width, 3) uint8, through a slightly soft lens."""
        y = np.linspace(-1, 1, self._height, dtype=np.float32)[:, None]
        x = np.linspace(-1, 1, self._width, dtype=np.float32)[None, :]
        picture = self._picture * (1 - vignette * (x * x + y * y) / 2)[..., None]
        soft = cv2.GaussianBlur(picture, (0, 0), 0.45 * self._zoom * max(1.0, self._size[1] / 720))
        return np.clip(cv2.resize(soft, self._size, interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8)

    def _pixel(self, at: Place) -> tuple[float, float]:
        x, y, z = at
        u, v = self.view.project(x, z, y)
        return u * self._width, v * self._height


def _bands(z: NDArray[Any]) -> list[tuple[slice, int]]:
    """Rows of ground, and how much its texture must be blurred there lest it sparkle."""
    horizon = int(np.isnan(z).sum())
    near, middle = (int(np.searchsorted(-z[horizon:], -limit_m)) + horizon for limit_m in (9.0, 16.0))
    return [(slice(horizon, middle), 9), (slice(middle, near), 3), (slice(near, len(z)), 1)]


def _reduced(texture: Texture, target: NDArray[Any]) -> Texture:
    """The texture, made smaller where it is seen much smaller, lest it sparkle."""
    wide, high = np.ptp(target, axis=0).tolist()
    h, w = texture.shape[:2]
    size = (int(np.clip(1.5 * wide, 8, w)), int(np.clip(1.5 * high, 8, h)))
    return texture if size == (w, h) else cv2.resize(texture, size, interpolation=cv2.INTER_AREA)


def _warp(texture: Texture, target: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The texture with alpha, its corners pulled to `target`, as (h, w, 4)."""
    h, w = texture.shape[:2]
    if texture.shape[2] == 3:
        texture = np.dstack([texture, np.full((h, w), 255, np.float32)])
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    warp = cv2.getPerspectiveTransform(corners, target)
    return cv2.warpPerspective(texture, warp, size, borderMode=cv2.BORDER_REPLICATE)
