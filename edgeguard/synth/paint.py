"""Lays figures, their shadows and the sensor's grain over the still picture."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.synth.solids import Light, Sprite, Stand

Picture = NDArray[np.uint8]
"""(h, w, 3), blue, green, red."""

GRAIN_MARGIN_PX = 64
GRAIN_OFFSET = 14
"""Grain is kept in unsigned bytes around this."""


class Shadow(NamedTuple):
    """How much a patch of the picture is darkened."""

    left: int
    top: int
    strength: NDArray[np.float32]
    """(h, w), 0..1."""


def lay(picture: Picture, sprite: Sprite) -> None:
    """Blend the sprite into the picture, in place; what lies outside is cut off."""
    window, part = _overlap(picture, sprite.left, sprite.top, sprite.alpha)
    blended = window * (1 - sprite.alpha[part][..., None]) + sprite.colour[part]
    window[:] = np.minimum(blended, 255)


def darken(picture: Picture, shadow: Shadow) -> None:
    """Let the shadow fall on the picture, in place."""
    window, part = _overlap(picture, shadow.left, shadow.top, shadow.strength)
    window[:] = window * (1 - shadow.strength[part][..., None])


def cast(sprite: Sprite, stand: Stand, light: Light) -> Shadow:
    """The sprite's shadow on the ground: its outline sheared away from the lamp."""
    right, up, near = light.towards
    across = -right / up / math.cos(stand.elevation)
    down = -near / up * math.tan(stand.elevation)
    rise = stand.y_px - sprite.top
    blur_px = max(0.03 * stand.scale, 0.6)
    margin = math.ceil(3 * blur_px)
    left = math.floor(sprite.left + min(across * rise, 0)) - margin
    top = math.floor(stand.y_px + min(down * rise, 0)) - margin
    width = sprite.alpha.shape[1] + math.ceil(abs(across * rise)) + 2 * margin
    height = math.ceil(abs(down * rise)) + 2 * margin + 6
    shear = np.array(
        [
            [1, -across, sprite.left - left + across * rise],
            [0, -down, stand.y_px - top + down * rise],
        ]
    )
    fallen = cv2.warpAffine(sprite.alpha, shear, (width, height), flags=cv2.INTER_LINEAR)
    return Shadow(left, top, cv2.GaussianBlur(fallen, (0, 0), blur_px) * np.float32(light.shadow))


def _overlap(
    picture: Picture, left: int, top: int, patch: NDArray[np.float32]
) -> tuple[Picture, tuple[slice, slice]]:
    """The part of the picture under the patch, and the part of the patch on the picture."""
    h, w = patch.shape
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = max(min(top + h, picture.shape[0]), y0), max(min(left + w, picture.shape[1]), x0)
    return picture[y0:y1, x0:x1], (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


class Sensor:
    """Grain of a camera: another one for every picture, the same for the same picture."""

    def __init__(self, width: int, height: int, strength: float, rng: np.random.Generator) -> None:
        shape = (height + GRAIN_MARGIN_PX, width + GRAIN_MARGIN_PX)
        grey = rng.standard_normal((*shape, 1), np.float32)
        colour = rng.standard_normal((*shape, 3), np.float32)
        grain = np.round(GRAIN_OFFSET + strength * (grey + 0.5 * colour))
        self._pool = np.clip(grain, 0, 2 * GRAIN_OFFSET).astype(np.uint8)
        self._offset = np.full(4, GRAIN_OFFSET, np.float64)

    def expose(self, picture: Picture, number: int) -> Picture:
        """The picture with the grain of picture `number`."""
        h, w = picture.shape[:2]
        y, x = number * 37 % GRAIN_MARGIN_PX, (number * 23 + number // GRAIN_MARGIN_PX * 7) % GRAIN_MARGIN_PX
        grainy = cv2.add(picture, self._pool[y : y + h, x : x + w])
        return np.asarray(cv2.subtract(grainy, self._offset), np.uint8)
