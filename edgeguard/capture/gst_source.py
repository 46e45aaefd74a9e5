"""Cameras and files through GStreamer on the CPU tier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeguard.anchor import Anchor
from edgeguard.capture.source import RateGate
from edgeguard.clock import Clock
from edgeguard.errors import SourceError
from edgeguard.gst import AppSink, Pipeline, Sample, VideoLayout
from edgeguard.media import MediaOptions, check, connect, is_live, shown
from edgeguard.types import Colour, Frame, PixelFormat

_RAW = "video/x-raw,format=(string){I420,NV12}"


class GstFrameSource:
    """Decodes `url` and gives views on the decoder's own buffers, without a copy.

    `realtime` paces a file by its timestamps and lets newer frames replace older ones; otherwise every
    frame that the rate gate picks is given, as fast as it is read. Live sources are always real time.
    """

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        analyse_fps: float = 5.0,
        *,
        realtime: bool = True,
        stall_s: float = 10.0,
        options: MediaOptions | None = None,
    ) -> None:
        self.name = name
        self._url = url
        self._clock = clock
        self._fps = analyse_fps
        self._live = is_live(url)
        self._realtime = realtime or self._live
        self._stall_ns = round(max(stall_s, 3 / analyse_fps) * 1e9)
        self._options = options or MediaOptions()
        self._sequence = 0
        self._pipeline: Pipeline | None = None

    def open(self) -> None:
        self.close()
        self._pipeline = pipeline = Pipeline(f"camera-{self.name}")
        self._sink: AppSink = pipeline.add_appsink(
            sync=self._realtime and not self._live, lossless=not self._realtime
        )
        convert = pipeline.add("videoconvert")
        pipeline.link(convert, pipeline.add_caps(_RAW), self._sink.element)
        connect(pipeline, self._url, "video", convert, self._options)
        self._anchor = Anchor(self._clock, self._live)
        self._gate = RateGate(self._fps)
        self._given_ns = self._clock.monotonic_ns()
        pipeline.play()

    def read(self, timeout_s: float) -> Frame | None:
        if self._pipeline is None:
            raise SourceError(f"camera {self.name} is not open")
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * 1e9)
        while (now_ns := self._clock.monotonic_ns()) < deadline_ns:
            sample = self._sink.pull((deadline_ns - now_ns) / 1e9)
            if sample is None:
                check(self._pipeline, self._url)
            elif self._wanted(sample):
                return self._frame(sample)
            self._check_stall()
        return None

    def close(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.stop()

    def _check_stall(self) -> None:
        silent_ns = self._clock.monotonic_ns() - self._given_ns
        if silent_ns > self._stall_ns:
            raise SourceError(f"no picture from {shown(self._url)} for {silent_ns / 1e9:.0f} s")

    def _wanted(self, sample: Sample) -> bool:
        running_ns = sample.running_ns
        return self._gate.passes(self._clock.monotonic_ns() if running_ns is None else running_ns)

    def _frame(self, sample: Sample) -> Frame:
        self._given_ns = self._clock.monotonic_ns()
        times = self._anchor.stamp(sample.running_ns)
        layout = sample.video_layout()
        sequence, self._sequence = self._sequence, self._sequence + 1
        return Frame(
            source=self.name,
            sequence=sequence,
            pts_ns=times.pts_ns,
            utc_ns=times.utc_ns,
            arrived_ns=times.arrived_ns,
            width=layout.width,
            height=layout.height,
            format=PixelFormat(layout.format),
            planes=_planes(layout, sample.map().bytes()),
            colour=_colour(layout),
            media_ns=None if self._live else sample.media_ns,
        )


def _planes(layout: VideoLayout, data: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    height, width = layout.height, layout.width
    half = ((height + 1) // 2, (width + 1) // 2)
    luma = layout.plane(data, 0, (height, width))
    if layout.format == PixelFormat.NV12.value:
        return luma, layout.plane(data, 1, (*half, 2), pixel_bytes=2)
    return luma, layout.plane(data, 1, half), layout.plane(data, 2, half)


def _colour(layout: VideoLayout) -> Colour:
    if layout.is_bt709:
        return Colour.BT709_FULL if layout.is_full_range else Colour.BT709_LIMITED
    return Colour.BT601_FULL if layout.is_full_range else Colour.BT601_LIMITED
