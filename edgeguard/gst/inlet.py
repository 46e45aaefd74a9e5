"""The way into a pipeline for buffers that come from another one."""

from __future__ import annotations

from typing import Any

from edgeguard.errors import SourceError
from edgeguard.gst.binding import load


class Inlet:
    """Hands buffers to an element on the caller's own thread: what the element does on it is done by the time
    that `push` returns. The GIL is free meanwhile."""

    def __init__(self, element: Any) -> None:
        self._gst = load()[0]
        self._pad = self._gst.Pad.new("inlet", self._gst.PadDirection.SRC)
        self._pad.set_active(True)
        if self._pad.link(element.get_static_pad("sink")) != self._gst.PadLinkReturn.OK:
            raise SourceError(f"cannot hand anything to {element.get_name()}")

    def begin(self, caps: Any, segment: Any) -> None:
        """A stream begins, or begins anew; what the element holds of the one before comes out first."""
        event = self._gst.Event
        for one in (event.new_stream_start("inlet"), event.new_caps(caps), event.new_segment(segment)):
            self._pad.push_event(one)

    def push(self, buffer: Any) -> bool:
        """Whether the element took it; if not, the pipeline's `check` tells why."""
        return bool(self._pad.push(buffer) == self._gst.FlowReturn.OK)

    def end(self) -> None:
        """No more will come: the element gives out what it holds."""
        self._pad.push_event(self._gst.Event.new_eos())

    def close(self) -> None:
        """Let go of the element. Safe twice."""
        self._pad.set_active(False)
        peer = self._pad.get_peer()
        if peer is not None:
            self._pad.unlink(peer)
