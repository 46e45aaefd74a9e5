"""What comes out of a pipeline: samples, and their memory as arrays."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import SourceError
from edgeguard.gst.binding import MapInfo, c, load

_MAP_READ, _MAP_CUDA = 1, 1 << 17
_FULL_RANGE = 1
_NTP_TO_UNIX_NS = 2_208_988_800_000_000_000
"""From 1900 to 1970."""


class MappedBuffer:
    """A buffer mapped for reading until the last array made from it is gone."""

    def __init__(self, buffer: Any, also: int = 0) -> None:
        """`also` are further flags of the map."""
        self._buffer = buffer
        self._info = MapInfo()
        self._pointer = hash(buffer)  # PyGObject hashes a boxed value to its address
        self._mapped = bool(c().gst_buffer_map(self._pointer, ctypes.byref(self._info), _MAP_READ | also))
        if not self._mapped:
            raise SourceError("GStreamer could not map a buffer for reading")

    def __del__(self) -> None:
        if self._mapped:
            c().gst_buffer_unmap(self._pointer, ctypes.byref(self._info))

    @property
    def size(self) -> int:
        return int(self._info.size)

    @property
    def address(self) -> int:
        """Of the first byte; on the device if the map's flags asked for that."""
        return int(self._info.data or 0)

    @property
    def memory(self) -> int:
        """The GstMemory behind it, which lives as long as its pool keeps it."""
        return int(self._info.memory or 0)

    def bytes(self) -> NDArray[np.uint8]:
        """(size,) read-only view, which keeps the buffer mapped as long as it or a view on it lives."""
        if not self.size:
            return np.zeros(0, np.uint8)
        memory: Any = (ctypes.c_uint8 * self.size).from_address(self._info.data)
        memory.owner = self
        view: NDArray[np.uint8] = np.frombuffer(memory, np.uint8)
        view.flags.writeable = False
        return view


def ntp_utc_ns(buffer: Any) -> int | None:
    """UTC by the sender's clock, as its RTCP sender reports tell; None before the first, or without any."""
    meta = buffer.get_reference_timestamp_meta(None)
    if meta is None or meta.reference.get_structure(0).get_name() != "timestamp/x-ntp":
        return None
    return int(meta.timestamp) - _NTP_TO_UNIX_NS


class Sample:
    """One buffer from an appsink, with its times and format."""

    def __init__(self, sample: Any) -> None:
        self._sample = sample
        self.buffer = sample.get_buffer()
        self.caps = sample.get_caps()

    @property
    def media_ns(self) -> int | None:
        """Time in the file or stream; None if the source does not stamp."""
        gst = load()[0]
        time = self._sample.get_segment().to_stream_time(gst.Format.TIME, self.buffer.pts)
        return None if time == gst.CLOCK_TIME_NONE else int(time)

    @property
    def running_ns(self) -> int | None:
        """Time since the pipeline began to play; None if the source does not stamp."""
        return self._running(self.buffer.pts)

    @property
    def decoding_ns(self) -> int | None:
        """When it is to be decoded, in the same time; None if unknown."""
        return self._running(self.buffer.dts)

    @property
    def is_keyframe(self) -> bool:
        """Whether an encoded picture can be decoded without those before it."""
        return not self.buffer.has_flags(load()[0].BufferFlags.DELTA_UNIT)

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.buffer.get_size())

    @property
    def segment(self) -> Any:
        """By which its times are to be read."""
        return self._sample.get_segment()

    def _running(self, time_ns: int) -> int | None:
        gst = load()[0]
        time = self._sample.get_segment().to_running_time(gst.Format.TIME, time_ns)
        return None if time == gst.CLOCK_TIME_NONE else int(time)

    def map(self) -> MappedBuffer:
        return MappedBuffer(self.buffer)

    def map_device(self) -> MappedBuffer:
        """Mapped for the GPU (GST_MAP_CUDA), not for the host."""
        return MappedBuffer(self.buffer, _MAP_CUDA)

    def memory(self) -> int:
        """The first GstMemory of the buffer, unmapped."""
        return int(c().gst_buffer_peek_memory(hash(self.buffer), 0) or 0)

    def video_layout(self) -> VideoLayout:
        """Size, format and plane positions of a raw picture."""
        return VideoLayout(self.caps, self.buffer)


class VideoLayout:
    """Where the planes of a raw picture lie in its buffer."""

    def __init__(self, caps: Any, buffer: Any) -> None:
        _, _, gst_video = load()
        info = gst_video.VideoInfo.new_from_caps(caps)
        meta = gst_video.buffer_get_video_meta(buffer)
        self.width = int(info.width)
        self.height = int(info.height)
        self.format = str(info.finfo.name)
        self.offsets = [int(value) for value in (meta.offset if meta else info.offset)]
        self.strides = [int(value) for value in (meta.stride if meta else info.stride)]
        self.is_bt709 = info.colorimetry.matrix == gst_video.VideoColorMatrix.BT709
        self.is_full_range = int(info.colorimetry.range) == _FULL_RANGE

    def plane(
        self, data: NDArray[np.uint8], index: int, shape: tuple[int, ...], pixel_bytes: int = 1
    ) -> NDArray[np.uint8]:
        """A view of plane `index` as (rows, columns[, channels]) with the buffer's stride."""
        strides = (self.strides[index], pixel_bytes, 1)[: len(shape)]
        return np.lib.stride_tricks.as_strided(data[self.offsets[index] :], shape, strides, writeable=False)
