"""Source time to the box's own clocks."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.clock import Clock

_FAR_NS = 2_000_000_000
_FOLLOW_NS = 60_000_000_000
"""Time constant with which an anchor follows: long beside the jitter of a network, short beside a drift."""


@dataclass(frozen=True, slots=True)
class Times:
    """When a sample was taken, on both clocks, and when it came."""

    pts_ns: int
    utc_ns: int
    arrived_ns: int


class Anchor:
    """Maps a source's running time to monotonic and UTC time by the arrival of its first sample.

    A live source's clock drifts against ours, so its anchor follows the arrivals, slowly; where its
    timestamps jump more than two seconds away from them it is anchored anew. A file may run faster than real
    time, so its times are left alone.
    """

    def __init__(self, clock: Clock, live: bool) -> None:
        self._clock = clock
        self._live = live
        self._offset_ns: int | None = None
        self._arrived_ns = 0

    def stamp(self, running_ns: int | None) -> Times:
        """The times of a sample that arrives now; None is a source that does not stamp."""
        arrived_ns = self._clock.monotonic_ns()
        pts_ns = arrived_ns if running_ns is None else running_ns + self._offset(running_ns, arrived_ns)
        return Times(pts_ns, pts_ns + self._clock.utc_ns() - arrived_ns, arrived_ns)

    def _offset(self, running_ns: int, arrived_ns: int) -> int:
        if self._offset_ns is None:
            self._offset_ns = arrived_ns - running_ns
        elif self._live:
            late_ns = arrived_ns - running_ns - self._offset_ns
            share = min((arrived_ns - self._arrived_ns) / _FOLLOW_NS, 1.0) if abs(late_ns) <= _FAR_NS else 1.0
            self._offset_ns += round(late_ns * share)
        self._arrived_ns = arrived_ns
        return self._offset_ns
