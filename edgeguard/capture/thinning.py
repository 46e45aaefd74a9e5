"""Leaves out of decoding what nobody would look at and nothing is predicted from."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median

from edgeguard.capture.feed import Stream, head
from edgeguard.capture.pictures import PictureReader
from edgeguard.capture.source import RateGate
from edgeguard.types import Packet

_HEAD_BYTES = 4096
_TIMES = 32
_LOOK = 200
"""Packets after which a stream that has no discardable picture is not looked at any more."""


class Thinning:
    """Spares the decoder those pictures that the rate gate would not pick, of those that may be left out.

    Cameras and recordings with B-pictures, or with a hierarchy of P-pictures, have many; others none. What is
    given does not change: the pictures that the gate picks are always decoded.
    """

    def __init__(self, rate: RateGate, stream: Stream) -> None:
        self._rate = rate
        self._reader = PictureReader(stream.codec)
        self._times: deque[int] = deque(maxlen=_TIMES)
        self._frame_ns: int | None = None
        self._looked = 0
        self._found = False
        self._worthwhile = stream.codec in ("h264", "h265")

    def spares(self, packet: Packet) -> bool:
        """Whether the decoder need not get it. Packets come in the order of the stream."""
        if not self._worthwhile or packet.running_ns is None:
            return False
        discardable = self._reader.read(head(packet, _HEAD_BYTES if packet.keyframe else 256)).discardable
        self._learn(packet.running_ns, discardable)
        if not discardable or self._frame_ns is None:
            return False
        return not self._rate.would_pick(packet.running_ns, self._frame_ns)

    def _learn(self, running_ns: int, discardable: bool) -> None:
        self._looked += 1
        self._found = self._found or discardable
        self._worthwhile = self._found or self._looked < _LOOK
        self._times.append(running_ns)
        if self._looked % _TIMES == 0:
            times = sorted(self._times)
            self._frame_ns = round(median(after - before for before, after in pairwise(times)))
