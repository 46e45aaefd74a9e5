"""Packets on their way to the decoder."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from edgeguard.capture.feed import Stream
from edgeguard.errors import SourceError
from edgeguard.types import Packet

_TOO_LATE_NS = 3_000_000_000
_HOPELESS_NS = 30_000_000_000


class Backlog:
    """Keeps the order; where decoding falls behind a live camera, all before the last keyframe goes."""

    def __init__(self, live: bool) -> None:
        self._live = live
        self._waiting: deque[tuple[int, Packet, Stream]] = deque()
        self.skipped = 0
        """Packets that were never decoded because the decoder did not keep up."""

    def add(self, packets: Iterable[Packet], stream: Stream, now_ns: int) -> None:
        self._waiting.extend((now_ns, packet, stream) for packet in packets)

    def take(self, now_ns: int) -> tuple[Packet, Stream] | None:
        """The next packet for the decoder.

        Raises SourceError if a live camera is too far ahead and sends no keyframe to go on with.
        """
        if not self._waiting:
            return None
        if self._live and now_ns - self._waiting[0][0] > _TOO_LATE_NS:
            self._skip()
            late_ns = now_ns - self._waiting[0][0]
            if late_ns > _HOPELESS_NS:
                raise SourceError(
                    f"decoding is {late_ns / 1e9:.0f} s behind, and no keyframe came meanwhile; set the "
                    "camera's keyframe interval to 1 to 4 s, and fewer or smaller pictures",
                    "undecodable",
                )
        _, packet, stream = self._waiting.popleft()
        return packet, stream

    def clear(self) -> None:
        """Forget what waits: the connection is gone."""
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)

    def _skip(self) -> None:
        keyframes = [number for number, (_, packet, _) in enumerate(self._waiting) if packet.keyframe]
        for _ in range(keyframes[-1] if keyframes else 0):
            self._waiting.popleft()
            self.skipped += 1
