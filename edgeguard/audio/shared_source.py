"""The microphone in a camera, on the camera's own connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgeguard.audio.gst_source import GstAudioSource
from edgeguard.clock import Clock
from edgeguard.errors import SourceError
from edgeguard.gst import AppSink, Inlet, Pipeline, Sample
from edgeguard.media import SoundTap, decode, shown

_WAIT_S = 0.05


class SharedAudioSource(GstAudioSource):
    """Decodes what the camera's connection leaves at `tap`; it fails with it, and comes back with it.

    A decoder of its own: sound that cannot be decoded costs no picture.
    """

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        tap: SoundTap,
        wait: Callable[[float], object],
        *,
        stall_s: float = 10.0,
    ) -> None:
        super().__init__(name, url, clock, stall_s=stall_s)
        self._tap = tap
        self._wait = wait
        self._from: AppSink | None = None
        self._inlet: Inlet | None = None
        self._caps = 0

    def close(self) -> None:
        inlet, self._inlet, self._from, self._caps = self._inlet, None, None, 0
        try:
            super().close()
        finally:
            if inlet is not None:
                inlet.close()

    def _end_of(self, pipeline: Pipeline) -> AppSink:
        return pipeline.add_appsink(sync=False, lossless=True, buffers=0, waits=False)

    def _connect(self, pipeline: Pipeline, into: Any) -> None:
        self._decoder = decode(pipeline, "audio", into)

    def _pull(self, timeout_s: float) -> Sample | None:
        """Let the decoder work on what is there; it works on this thread."""
        if self._from is not None and self._tap.sink is not self._from:
            raise SourceError(f"the connection to {shown(self._url)} ended, which the camera shares")
        sample = self._sink.pull(0)
        self._from = self._tap.sink
        if sample is not None:
            return sample
        packet = None if self._from is None else self._from.pull(min(timeout_s, _WAIT_S))
        if packet is None:
            self._pause(timeout_s)
            return None
        self._decode(packet)
        return self._sink.pull(0)

    def _pause(self, timeout_s: float) -> None:
        """A sink that has stopped gives nothing at once."""
        self._wait(min(timeout_s, _WAIT_S))

    def _decode(self, packet: Sample) -> None:
        if self._inlet is None:
            self._inlet = Inlet(self._decoder)
        if hash(packet.caps) != self._caps:
            self._caps = hash(packet.caps)
            self._inlet.begin(packet.caps, packet.segment)
        self._inlet.push(packet.buffer)
