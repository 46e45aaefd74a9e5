"""What a camera's picture amounts to: a few numbers from a small copy of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Colour, Frame, PixelFormat
from edgeguard.vision.motion import small_luma

GRID = (6, 8)
"""Rows and columns of the blocks whose texture is measured."""
_LIMITED = (Colour.BT601_LIMITED, Colour.BT709_LIMITED)
_OUTLINE_PX = (64, 36)
_ALIKE = 0.5
_TEXTURE_PX = (320, 192)


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """One picture, small."""

    pts_ns: int
    luma: NDArray[np.float32]
    """(36, 64), 0..255."""
    edges: NDArray[np.float32]
    """(36, 64): strength of the gradient, without what is dark or lit alike everywhere."""
    texture: NDArray[np.float32]
    """`GRID`: mean absolute Laplacian of the block, the focus measure LAPM of Pech-Pacheco et al. (2000)."""
    detail: float
    """Mean absolute Laplacian of `luma`: a smooth shade has none, and noise is averaged away."""
    colour: float
    """Mean distance from grey of Cb and Cr."""
    exact: bytes
    """Equal for pictures that are equal to the last bit when shrunk to 320 pixels."""

    @property
    def brightness(self) -> float:
        return float(self.luma.mean())

    @property
    def contrast(self) -> float:
        return float(self.luma.std())


def glimpse(frame: Frame) -> Glimpse:
    """Measure a picture in host memory."""
    middle = small_luma(frame)
    luma = cv2.resize(middle, _OUTLINE_PX, interpolation=cv2.INTER_AREA).astype(np.float32)
    if frame.format is not PixelFormat.BGR and frame.colour in _LIMITED:
        luma = (luma - 16) * (255 / 219)
    fine = np.asarray(cv2.resize(middle, _TEXTURE_PX, interpolation=cv2.INTER_LINEAR), np.uint8)
    detail = float(np.abs(cv2.Laplacian(luma, cv2.CV_32F)).mean())
    texture, colour = _texture(fine), _colour(frame)
    return Glimpse(frame.pts_ns, luma, edges_of(luma), texture, detail, colour, middle.tobytes())


def edges_of(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gradient strength (Sobel), divided by its mean around: what light does to a whole region is gone."""
    strength = cv2.magnitude(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    around = cv2.blur(strength, (17, 17))
    return np.asarray(strength / (around + 8.0), np.float32)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Normalised cross-correlation, -1..1; 0 where either is flat."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / norm) if norm > 1e-3 else 0.0


def regions_alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The share of the nine regions of (36, 64) pictures whose `likeness` is at least 0.5."""
    cuts = [(slice(y, y + 12), slice(x, x + 22)) for y in (0, 12, 24) for x in (0, 21, 42)]
    return sum(likeness(one[cut], other[cut]) >= _ALIKE for cut in cuts) / len(cuts)


def _texture(fine: NDArray[np.uint8]) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(fine, (3, 3), 0)
    laplacian = np.abs(cv2.Laplacian(smooth, cv2.CV_16S)).astype(np.float32)
    return np.asarray(cv2.resize(laplacian, GRID[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _colour(frame: Frame) -> float:
    if frame.format is PixelFormat.BGR:
        small = cv2.resize(frame.planes[0], _OUTLINE_PX, interpolation=cv2.INTER_AREA)
        planes = [cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)[..., 1:]]
    else:
        planes = [cv2.resize(p, _OUTLINE_PX, interpolation=cv2.INTER_AREA) for p in frame.planes[1:]]
    return float(np.mean([np.abs(plane.astype(np.float32) - 128).mean() for plane in planes]))
