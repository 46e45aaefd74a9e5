"""How a decoder's sample becomes a frame: one maker per kind of memory; this one leaves it on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeguard.anchor import Times
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import SourceError
from edgeguard.gst import Sample, VideoLayout
from edgeguard.types import Colour, DevicePlane, Frame, Hold, Memory, PixelFormat


class SurfaceError(SourceError):
    """A decoder's memory cannot be used as it is; another way of decoding may do."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a frame is told besides its picture."""

    source: str
    sequence: int
    times: Times
    media_ns: int | None
    """Time since the start of the file; None for live sources."""
    sensor_ns: int | None = None
    received_ns: int | None = None
    """As in `Frame`."""


class FrameMaker(Protocol):
    """Turns the samples of one decoder into frames, on the thread that reads the camera."""

    def frame(self, sample: Sample, stamp: Stamp) -> Frame:
        """Raises SurfaceError if the sample's memory cannot be used here: then the next tier is tried."""

    def close(self) -> None:
        """Call it while the pipeline's buffers live; frames given out stay valid. Safe twice."""


class HostFrames:
    """Read-only views on the decoder's buffer in the host's memory, without a copy."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger or Ledger()

    def frame(self, sample: Sample, stamp: Stamp) -> Frame:
        self._ledger.count(host_maps=1, frames=1)
        layout = sample.video_layout()
        return Frame(
            source=stamp.source,
            sequence=stamp.sequence,
            pts_ns=stamp.times.pts_ns,
            utc_ns=stamp.times.utc_ns,
            arrived_ns=stamp.times.arrived_ns,
            width=layout.width,
            height=layout.height,
            format=PixelFormat(layout.format),
            planes=planes_of(layout, sample.map().bytes()),
            colour=colour_of(layout),
            media_ns=stamp.media_ns,
            sensor_ns=stamp.sensor_ns,
            received_ns=stamp.received_ns,
        )

    def close(self) -> None:
        """Each frame keeps its own buffer."""


def device_frame(
    stamp: Stamp, memory: Memory, planes: tuple[DevicePlane, DevicePlane], colour: Colour, hold: Hold
) -> Frame:
    """An NV12 picture on the GPU."""
    return Frame(
        source=stamp.source,
        sequence=stamp.sequence,
        pts_ns=stamp.times.pts_ns,
        utc_ns=stamp.times.utc_ns,
        arrived_ns=stamp.times.arrived_ns,
        width=planes[0].width,
        height=planes[0].height,
        format=PixelFormat.NV12,
        planes=(),
        colour=colour,
        media_ns=stamp.media_ns,
        sensor_ns=stamp.sensor_ns,
        received_ns=stamp.received_ns,
        memory=memory,
        device=planes,
        hold=hold,
    )


def planes_of(layout: VideoLayout, data: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """The planes of an NV12 or I420 picture in its buffer's bytes."""
    height, width = layout.height, layout.width
    half = ((height + 1) // 2, (width + 1) // 2)
    luma = layout.plane(data, 0, (height, width))
    if layout.format == PixelFormat.NV12.value:
        return luma, layout.plane(data, 1, (*half, 2), pixel_bytes=2)
    return luma, layout.plane(data, 1, half), layout.plane(data, 2, half)


def colour_of(layout: VideoLayout) -> Colour:
    """The matrix and range that the caps tell."""
    if layout.is_bt709:
        return Colour.BT709_FULL if layout.is_full_range else Colour.BT709_LIMITED
    return Colour.BT601_FULL if layout.is_full_range else Colour.BT601_LIMITED
