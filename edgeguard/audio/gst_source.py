"""Microphones, camera audio and files through GStreamer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.anchor import Anchor
from edgeguard.audio.source import RATE_HZ, Gatherer
from edgeguard.clock import Clock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.gst import AppSink, Pipeline, Sample
from edgeguard.media import MediaOptions, check, connect, is_live, shown
from edgeguard.types import AudioChunk

_CAPS = f"audio/x-raw,format=F32LE,layout=interleaved,channels=1,rate={RATE_HZ}"


class GstAudioSource:
    """Decodes, mixes down and resamples whatever sound `url` carries.

    `realtime` paces a file by its timestamps; otherwise it is read as fast as it is taken. A file that broke
    off goes on where it was when it is opened again: nothing is heard twice.
    """

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        *,
        realtime: bool = True,
        stall_s: float = 10.0,
        options: MediaOptions | None = None,
    ) -> None:
        self.name = name
        self._url = url
        self._clock = clock
        self._live = is_live(url)
        self._realtime = realtime or self._live
        self._stall_ns = round(stall_s * 1e9)
        self._options = options or MediaOptions()
        self._sequence = 0
        self.given = 0
        """Samples of a file that were given since its start; one may set it before `open`, to go on there."""
        self._skip = 0
        """Those of them that come again."""
        self._next_ns: int | None = None
        """Where a file that is heard again goes on: read fast, it is ahead of the clock."""
        self._pipeline: Pipeline | None = None

    def open(self) -> None:
        self.close()
        self._pipeline = pipeline = Pipeline(f"microphone-{self.name}")
        self._skip = 0 if self._live else self.given
        self._sink = self._end_of(pipeline)
        convert = pipeline.add("audioconvert")
        pipeline.link(convert, pipeline.add("audioresample"), pipeline.add_caps(_CAPS), self._sink.element)
        self._connect(pipeline, convert)
        self._anchor = Anchor(self._clock, self._live, None if self._live else self._next_ns)
        self._gatherer = Gatherer()
        self._heard_ns = self._clock.monotonic_ns()
        self._cause = "connecting"
        pipeline.play()

    def read(self, timeout_s: float) -> AudioChunk | None:
        if self._pipeline is None:
            raise SourceError(f"microphone {self.name} is not open")
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * 1e9)
        while (taken := self._gatherer.take()) is None:
            left_s = (deadline_ns - self._clock.monotonic_ns()) / 1e9
            if left_s <= 0:
                return None
            self._gather(self._pipeline, left_s)
        return self._chunk(*taken)

    def close(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.stop()

    def _end_of(self, pipeline: Pipeline) -> AppSink:
        sink = pipeline.add_appsink(sync=self._realtime and not self._live, lossless=True, buffers=50)
        if self._skip:  # what was heard before is passed over at once
            sink.element.set_property("ts-offset", -(self._skip * 1_000_000_000 // RATE_HZ))
        return sink

    def _connect(self, pipeline: Pipeline, into: Any) -> None:
        """Lead the sound to `into`."""
        connect(pipeline, self._url, "audio", into, self._options)

    def _pull(self, timeout_s: float) -> Sample | None:
        return self._sink.pull(timeout_s)

    def _gather(self, pipeline: Pipeline, timeout_s: float) -> None:
        sample = self._pull(timeout_s)
        if sample is None:
            self._check_life(pipeline)
            return
        self._heard_ns = self._clock.monotonic_ns()
        self._cause = "stalled"
        self._add(sample.map().bytes().view(np.float32), sample.running_ns)

    def _add(self, samples: NDArray[np.float32], running_ns: int | None) -> None:
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        if running_ns is not None:
            running_ns += skipped * 1_000_000_000 // RATE_HZ
        if skipped < len(samples):
            self._gatherer.add(samples[skipped:], running_ns)

    def _check_life(self, pipeline: Pipeline) -> None:
        try:
            check(pipeline, self._url)
        except EndOfStreamError:
            self.given = 0
            raise
        silent_ns = self._clock.monotonic_ns() - self._heard_ns
        if silent_ns > self._stall_ns:
            raise SourceError(
                f"no sound data from {shown(self._url)} for {silent_ns / 1e9:.0f} s", self._cause
            )

    def _chunk(self, samples: NDArray[np.float32], running_ns: int | None) -> AudioChunk:
        times = self._anchor.stamp(running_ns)
        self._next_ns = times.pts_ns + len(samples) * 1_000_000_000 // RATE_HZ
        self.given += len(samples)
        sequence, self._sequence = self._sequence, self._sequence + 1
        return AudioChunk(self.name, sequence, times.pts_ns, times.utc_ns, times.arrived_ns, samples, RATE_HZ)
