"""From packets to pictures: the half of a camera that decodes, and may begin anew without the other."""

from __future__ import annotations

from typing import Any

from edgeguard.capture.feed import Stream
from edgeguard.capture.frames import FrameMaker, HostFrames
from edgeguard.capture.tiers import CODECS, HOST, Tiers
from edgeguard.gst import Inlet, Pipeline, Sample
from edgeguard.types import Packet


class Decoding:
    """One decoder, for one stream; it works on the thread that pushes.

    Decoders on a device work on threads of their own: what one gives comes out a little later.
    """

    def __init__(self, name: str, stream: Stream, tiers: Tiers) -> None:
        """Raises DependencyError, SourceError or SurfaceError; `close` follows either way."""
        self.stream = stream
        self._pipeline = Pipeline(f"decoder-{name}")
        self._inlet: Inlet | None = None
        self.maker: FrameMaker = HostFrames()
        try:
            self._begin(tiers)
        except Exception:
            self.close()
            raise

    def push(self, packet: Packet) -> None:
        """Decode it. Raises SourceError if the decoder gave up."""
        assert self._inlet is not None
        if not self._inlet.push(packet.buffer):
            self._pipeline.check()

    def pull(self, timeout_s: float) -> Sample | None:
        """The next picture, or None after `timeout_s` or once all that there was came out."""
        return self._sink.pull(timeout_s)

    def go_on(self, stream: Stream) -> None:
        """The same codec with another size or other times."""
        assert self._inlet is not None
        self.stream = stream
        self._inlet.begin(stream.caps, stream.segment)

    def drain(self) -> None:
        """Give out what the decoder holds back; the next packet is a keyframe."""
        self.go_on(self.stream)

    def end(self) -> None:
        """No packet follows: give out what the decoder holds back."""
        assert self._inlet is not None
        self._inlet.end()

    def close(self) -> None:
        """Safe twice. The decoder ends even if the GPU does not let go of its buffers."""
        inlet, self._inlet = self._inlet, None
        try:
            self.maker.close()
        finally:
            self._pipeline.stop()
            if inlet is not None:
                inlet.close()

    def _begin(self, tiers: Tiers) -> None:
        self._sink = self._pipeline.add_appsink(sync=False, lossless=True, buffers=0, waits=False)
        first = self._chain(tiers) if self.stream.codec in CODECS else self._any()
        self._pipeline.play()
        self._inlet = Inlet(first)
        self._inlet.begin(self.stream.caps, self.stream.segment)

    def _chain(self, tiers: Tiers) -> Any:
        chain = tiers.chain(self.stream.codec)
        self.maker = tiers.make(chain)
        elements = []
        for step in chain.steps:
            element = self._pipeline.add(step.element)
            for key, value in step.optional.items():
                if element.find_property(key):
                    element.set_property(key, value)
            chain.share(element)
            elements.append(element)
        elements += [self._pipeline.add_caps(chain.caps), self._sink.element]
        self._pipeline.link(*elements)
        return elements[0]

    def _any(self) -> Any:
        """Whatever decodes a codec that no camera uses: somebody's clip."""
        decoder = self._pipeline.add_decoder(self.stream.caps)
        self._pipeline.link(
            decoder, self._pipeline.add("videoconvert"), self._pipeline.add_caps(HOST), self._sink.element
        )
        return decoder
