"""One picture from one camera."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class PixelFormat(str, Enum):
    """Layouts of the planes, named as GStreamer names them."""

    I420 = "I420"
    NV12 = "NV12"
    BGR = "BGR"


class Colour(str, Enum):
    """YCbCr matrix and range; ignored for BGR."""

    BT601_LIMITED = "bt601"
    BT601_FULL = "bt601-full"
    BT709_LIMITED = "bt709"
    BT709_FULL = "bt709-full"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded picture; the planes are read-only views, often on the decoder's own buffer."""

    source: str
    """Camera name."""
    sequence: int
    """Counts frames of this source from 0."""
    pts_ns: int
    """Monotonic time at which the picture was taken, as far as the source tells."""
    utc_ns: int
    """UTC time of `pts_ns`."""
    arrived_ns: int
    """Monotonic time at which the decoded picture reached the daemon."""
    width: int
    height: int
    format: PixelFormat
    planes: tuple[NDArray[np.uint8], ...]
    """BGR: (h, w, 3). NV12: (h, w), (h/2, w/2, 2). I420: (h, w), (h/2, w/2), (h/2, w/2). May be strided."""
    colour: Colour = Colour.BT601_LIMITED
    media_ns: int | None = None
    """Time since the start of the file or scene; None for live sources."""
