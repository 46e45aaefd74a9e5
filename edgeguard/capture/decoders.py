"""A camera's decoder, which is made anew when the stream changes or the decoder gives up."""

from __future__ import annotations

import logging
from contextlib import suppress

from edgeguard.capture.decoding import Decoding
from edgeguard.capture.feed import Stream
from edgeguard.capture.frames import Stamp, SurfaceError
from edgeguard.capture.tiers import Tiers
from edgeguard.errors import DependencyError, ModelError, SourceError
from edgeguard.gst import Sample
from edgeguard.types import Frame, Packet

log = logging.getLogger(__name__)

_FALLS = 3
"""Decoders in a row that may give up without a picture."""


class Decoders:
    """One decoder at a time, of the best tier that works; each begins at a keyframe."""

    def __init__(self, name: str, tiers: Tiers) -> None:
        self._name = name
        self._tiers = tiers
        self._decoding: Decoding | None = None
        self._falls = 0
        self._ended = False
        self._rests = True
        self._arrived_ns = 0
        """Arrival of the packet that was pushed last."""
        self.restarts = 0

    @property
    def is_independent(self) -> bool:
        """Whether the pictures that come out were chosen one by one before they were decoded."""
        return self._decoding is not None and self._decoding.stream.is_independent

    def push(self, packet: Packet, stream: Stream) -> bool:
        """Decode it; False if it is of no use, for want of a keyframe before it.

        Raises SourceError, `undecodable`, if no decoder gets on with it; DependencyError if there is none.
        """
        try:
            if not packet.keyframe and (
                self._decoding is None or self._decoding.stream.caps is not stream.caps
            ):
                return False
            if packet.arrived_ns <= self._arrived_ns:  # it goes back: a gate has opened
                self.rest()
            self._arrived_ns = packet.arrived_ns
            self._for(stream).push(packet)
        except (SourceError, DependencyError) as error:
            self._fall(error)
            return False
        self._rests = False
        return True

    def pull(self) -> Sample | None:
        """The next picture, if there is one; after `end`, it is waited for."""
        if self._decoding is None:
            return None
        sample = self._decoding.pull(1.0 if self._ended else 0.0)
        if sample is not None:
            self._falls = 0
        return sample

    def frame(self, sample: Sample, stamp: Stamp) -> Frame | None:
        """None if this tier's memory cannot be used; the next one takes over."""
        assert self._decoding is not None
        try:
            return self._decoding.maker.frame(sample, stamp)
        except (SurfaceError, ModelError) as error:  # the latter of a GPU that is lost: the CPU is not
            self._fall(error)
            return None

    def rest(self) -> None:
        """Nothing to decode for now: give out what the decoder holds back; it goes on at a keyframe."""
        if self._decoding is not None and not self._rests:
            self._decoding.drain()
            self._rests = True

    def end(self) -> None:
        """No packet follows."""
        self._ended = True
        if self._decoding is not None:
            self._decoding.end()

    def close(self) -> None:
        """Safe twice; another stream may follow."""
        self._ended, self._rests = False, True
        decoding, self._decoding = self._decoding, None
        if decoding is not None:
            decoding.close()

    def _for(self, stream: Stream) -> Decoding:
        now = self._decoding
        if now is None or now.stream.caps is not stream.caps:
            self.close()
            self.restarts += now is not None
            now = self._decoding = Decoding(self._name, stream, self._tiers)
        elif now.stream is not stream:
            now.go_on(stream)
        return now

    def _fall(self, error: SourceError | DependencyError | ModelError) -> None:
        """The decoder gave up: the next tier, or this one again, begins at the next keyframe."""
        with suppress(ModelError):  # a GPU that is lost lets go of nothing
            self.close()
        self.restarts += 1
        if self._tiers.failed(error):
            return
        if isinstance(error, (DependencyError, ModelError)):
            raise error
        self._falls += 1
        if self._falls >= _FALLS:
            self._falls = 0
            raise SourceError(f"camera {self._name} cannot be decoded: {error}", "undecodable")
        log.warning("the decoder of camera %s begins anew: %s", self._name, error)
