"""One encoded picture of one camera, before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """An access unit as the camera encoded it: all that one picture needs besides those before it."""

    running_ns: int | None
    """Presentation time in the source's running time; None if the source does not stamp."""
    dts_ns: int | None
    """Decoding time in the same time; None if unknown."""
    arrived_ns: int
    """Monotonic time at which it reached the daemon."""
    size: int
    """Bytes."""
    keyframe: bool
    """A decoder can begin here."""
    buffer: object
    """GStreamer's own buffer, without a copy; opaque outside of capture."""
