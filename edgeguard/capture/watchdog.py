"""What is wrong with a camera that is connected but shows nothing."""

from __future__ import annotations

from edgeguard.clock import Clock
from edgeguard.errors import SourceError
from edgeguard.media import shown

_ASK_NS = 2_000_000_000
"""A camera that sends no keyframe is asked for one so often."""


class Watchdog:
    """Follows one connection; told of all that comes, it says what does not come."""

    def __init__(self, url: str, clock: Clock, connect_s: float, stall_s: float) -> None:
        self._url = url
        self._clock = clock
        self._connect_ns = round(connect_s * 1e9)
        self._stall_ns = round(stall_s * 1e9)
        self._packets = 0
        self._packet_ns = self._asked_ns = clock.monotonic_ns()
        self._keyframe_seen = False
        self._undecoded_ns: int | None = None
        """When the first packet came of which no picture did."""

    def packet(self, keyframe: bool, arrived_ns: int) -> None:
        """An encoded picture came."""
        self._packets += 1
        self._packet_ns = arrived_ns
        self._keyframe_seen = self._keyframe_seen or keyframe
        if self._packets == 1:
            self._asked_ns = arrived_ns
        if not self._keyframe_seen:
            self.fed(arrived_ns)

    def fed(self, at_ns: int) -> None:
        """The decoder got a packet, or waits for one with which it can begin."""
        if self._undecoded_ns is None:
            self._undecoded_ns = at_ns

    def starved(self, at_ns: int) -> None:
        """The decoder has to begin anew, and what comes is no keyframe."""
        self._keyframe_seen = False
        self.fed(at_ns)

    def decoded(self) -> None:
        """A picture came out."""
        self._undecoded_ns = None

    def wants_keyframe(self) -> bool:
        """Whether to ask the camera for a keyframe now."""
        now_ns = self._clock.monotonic_ns()
        if self._keyframe_seen or not self._packets or now_ns - self._asked_ns < _ASK_NS:
            return False
        self._asked_ns = now_ns
        return True

    def check(self) -> None:
        """Raise SourceError, with its cause, if something is missing for too long."""
        now_ns = self._clock.monotonic_ns()
        silent_ns = now_ns - self._packet_ns
        if self._packets == 0 and silent_ns > self._connect_ns:
            raise SourceError(
                f"no picture from {shown(self._url)} for {silent_ns / 1e9:.0f} s since it was opened",
                "connecting",
            )
        if self._packets and silent_ns > self._stall_ns:
            raise SourceError(f"no picture from {shown(self._url)} for {silent_ns / 1e9:.0f} s", "stalled")
        if self._undecoded_ns is not None and now_ns - self._undecoded_ns > self._stall_ns:
            raise SourceError(self._why_undecoded(now_ns - self._undecoded_ns), "undecodable")

    def _why_undecoded(self, since_ns: int) -> str:
        what = f"{shown(self._url)} sends data, but no picture came of it for {since_ns / 1e9:.0f} s"
        if self._keyframe_seen:
            return f"{what}: it cannot be decoded; try another codec or profile in the camera's settings"
        return f"{what}: it sends no keyframe; set the camera's keyframe interval to 1 to 4 s"
