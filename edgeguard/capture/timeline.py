"""Whether a camera's timestamps can be believed."""

from __future__ import annotations

_STOPPED_NS = 1_000_000_000


class Timeline:
    """Passes a live source's times on, as long as they go on.

    Some cameras stamp every picture alike, or stop after a while: then the pictures have no time, and their
    arrival is taken. Times that jump are left to the anchor and the rate gate, which start where they land.
    """

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self._moved_ns = 0
        self.stopped = 0
        """How often the times stood still."""
        self._is_stopped = False

    def running(self, running_ns: int | None, arrived_ns: int) -> int | None:
        """The time to use for a picture that arrives at `arrived_ns` (monotonic)."""
        if running_ns is None or running_ns != self._last_ns:
            self._last_ns, self._moved_ns, self._is_stopped = running_ns, arrived_ns, False
            return running_ns
        if arrived_ns - self._moved_ns < _STOPPED_NS:
            return running_ns
        self.stopped += not self._is_stopped
        self._is_stopped = True
        return None
