"""Frames made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Colour, Frame, PixelFormat


def frame(
    *planes: NDArray[np.uint8],
    pixel_format: PixelFormat = PixelFormat.BGR,
    colour: Colour = Colour.BT601_LIMITED,
    source: str = "gate",
    sequence: int = 0,
    pts_ns: int = 0,
) -> Frame:
    """A frame of these planes; its size is that of the first."""
    height, width = planes[0].shape[:2]
    return Frame(source, sequence, pts_ns, pts_ns, pts_ns, width, height, pixel_format, planes, colour)


def grey(width: int = 320, height: int = 240, value: int = 90, **fields: Any) -> Frame:
    """A frame without anything in it."""
    return frame(np.full((height, width, 3), value, np.uint8), **fields)


def noise(width: int, height: int, pixel_format: PixelFormat, colour: Colour, seed: int = 0) -> Frame:
    """A frame in which no two pixels are alike; its planes are views into larger memory."""
    rng = np.random.default_rng(seed)
    half = (height + 1) // 2, (width + 1) // 2
    shapes = {
        PixelFormat.BGR: [(height, width, 3)],
        PixelFormat.NV12: [(height, width), (*half, 2)],
        PixelFormat.I420: [(height, width), half, half],
    }[pixel_format]
    planes = [_strided(rng.integers(16, 236, shape, np.uint8)) for shape in shapes]
    return frame(*planes, pixel_format=pixel_format, colour=colour)


def _strided(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The plane with rows farther apart than they are long, as decoders lay them out."""
    height, width = plane.shape[:2]
    padded = np.zeros((height, width + 13, *plane.shape[2:]), np.uint8)
    padded[:, :width] = plane
    padded.flags.writeable = False
    return padded[:, :width]
