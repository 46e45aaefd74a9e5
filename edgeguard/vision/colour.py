"""From Y'CbCr planes to BGR, with the matrix and range that the frame names."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Colour, Frame, PixelFormat

_COEFFICIENTS = {
    # Y' gain, black level, R from Cr, G from Cb, G from Cr, B from Cb
    Colour.BT601_LIMITED: (1.1644, 16, 1.5960, -0.3918, -0.8130, 2.0172),
    Colour.BT601_FULL: (1.0, 0, 1.402, -0.3441, -0.7141, 1.772),
    Colour.BT709_LIMITED: (1.1644, 16, 1.7927, -0.2132, -0.5329, 2.1124),
    Colour.BT709_FULL: (1.0, 0, 1.5748, -0.1873, -0.4681, 1.8556),
}


def bgr_matrix(colour: Colour) -> NDArray[np.float64]:
    """(3, 4): rows B, G, R; columns Y', Cb, Cr (0..255) and 1 (ITU-R BT.601-7 and BT.709-6)."""
    gain, black, r_cr, g_cb, g_cr, b_cb = _COEFFICIENTS[colour]
    linear = np.array([[gain, b_cb, 0], [gain, g_cb, g_cr], [gain, 0, r_cr]])
    offset = -linear @ [black, 128, 128]
    return np.hstack([linear, offset[:, None]])


def bgr(frame: Frame, max_width_px: int | None = None) -> NDArray[np.uint8]:
    """The picture as (h, w, 3) in memory of its own, shrunk with its proportions kept to `max_width_px`."""
    width = min(frame.width, max_width_px or frame.width)
    size = (width, max(1, round(frame.height * width / frame.width)))
    if frame.format is PixelFormat.BGR:
        return np.array(_scaled(frame.planes[0], size))
    mixed = cv2.merge([_scaled(plane, size) for plane in frame.planes])
    return np.asarray(cv2.transform(mixed, bgr_matrix(frame.colour)), np.uint8)


def _scaled(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The plane at (width, height) `size`: averaged to shrink, interpolated to grow."""
    if (plane.shape[1], plane.shape[0]) == size:
        return plane
    shrinks = plane.shape[1] > size[0]
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
