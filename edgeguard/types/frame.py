"""One picture from one camera."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

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


class Memory(str, Enum):
    """Where the planes of a frame lie."""

    HOST = "host"
    CUDA_PITCH = "cuda-pitch"
    CUDA_ARRAY = "cuda-array"


class Showing(str, Enum):
    """What a frame is given for."""

    LIVE = "live"
    """A newer one of the same camera may replace it."""
    CATCH_UP = "catch-up"
    """Taken a while ago, and not looked at then: each of these counts."""
    GLANCE = "glance"
    """A keyframe of a camera that is quiet, decoded by itself: whether it shows anything new must be told."""


@dataclass(frozen=True, slots=True)
class DevicePlane:
    """One plane in the GPU's memory; valid until the frame's hold is released."""

    handle: int
    """CUDA_PITCH: CUdeviceptr of the first sample. CUDA_ARRAY: CUtexObject."""
    pitch: int
    """Bytes per row; 0 for a texture."""
    width: int
    """Samples per row; a sample of chroma is a pair."""
    height: int


class Hold(Protocol):
    """The decoder's buffer under a device frame. The decoder has about ten: a buffer kept stalls it."""

    def until(self, stream: int) -> None:
        """Give the buffer back once all is done that is on this CUDA stream now, which may end meanwhile."""

    def release(self) -> None:
        """Give the buffer back now; safe twice."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded picture; the planes are read-only views, often on the decoder's own buffer.

    On the GPU (`memory` is not HOST) the picture is NV12, `planes` is empty and `device` has luma and chroma.
    """

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
    memory: Memory = Memory.HOST
    device: tuple[DevicePlane, ...] = ()
    hold: Hold | None = None
    showing: Showing = Showing.LIVE
    sensor_ns: int | None = None
    """Monotonic time at which the camera says it took it; None if it does not say, or cannot be right."""
    received_ns: int | None = None
    """Monotonic time at which it reached the daemon, not decoded yet; None if it never was encoded."""
