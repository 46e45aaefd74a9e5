"""Which encoded packets the decoder gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edgeguard.capture.ring import EncodedRing
from edgeguard.types import Packet, Showing


class Gate(Protocol):
    """Stands between a camera's stream and its decoder; one camera's, asked by one thread."""

    def admit(self, packet: Packet, ring: EncodedRing) -> Sequence[Packet]:
        """What the decoder gets now, in the order of the stream; `packet` is the newest in the ring.

        The decoder can begin at a keyframe only, and needs all that follows it or nothing until the next.
        """

    def look(self, running_ns: int | None, sequence: int, pixels: int) -> Showing | None:
        """What a decoded frame of `pixels`, which will be number `sequence`, is for; None: nothing."""

    def begin(self, codec: str) -> None:
        """A stream begins: `h264`, `h265` or `jpeg`. What was known of the last one may no longer hold."""

    def counters(self) -> dict[str, int | float | str]:
        """What health tells of it."""


class OpenGate:
    """Everything is decoded."""

    def admit(self, packet: Packet, ring: EncodedRing) -> Sequence[Packet]:  # noqa: ARG002
        return (packet,)

    def look(self, running_ns: int | None, sequence: int, pixels: int) -> Showing | None:  # noqa: ARG002
        return Showing.LIVE

    def begin(self, codec: str) -> None:
        """Nothing to forget."""

    def counters(self) -> dict[str, int | float | str]:
        return {}
