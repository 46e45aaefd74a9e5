"""Source time to the box's own clocks."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.clock import Clock

_FAR_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Times:
    """When a sample was taken, on both clocks, and when it came."""

    pts_ns: int
    utc_ns: int
    arrived_ns: int


class Anchor:
    """Maps a source's running time to monotonic and UTC time by the arrival of its first sample.

    A live source whose timestamps jump more than two seconds away from its arrivals is anchored anew; a file
    may run faster than real time, so its times are left alone.
    """

    def __init__(self, clock: Clock, live: bool) -> None:
        self._clock = clock
        self._live = live
        self._pts_offset_ns: int | None = None
        self._utc_offset_ns = 0

    def stamp(self, running_ns: int | None) -> Times:
        arrived_ns = self._clock.monotonic_ns()
        if running_ns is None:
            return Times(arrived_ns, self._clock.utc_ns(), arrived_ns)
        if self._pts_offset_ns is None or self._strayed(running_ns, arrived_ns):
            self._pts_offset_ns = arrived_ns - running_ns
            self._utc_offset_ns = self._clock.utc_ns() - arrived_ns
        pts_ns = running_ns + self._pts_offset_ns
        return Times(pts_ns, pts_ns + self._utc_offset_ns, arrived_ns)

    def _strayed(self, running_ns: int, arrived_ns: int) -> bool:
        return self._live and abs(running_ns + (self._pts_offset_ns or 0) - arrived_ns) > _FAR_NS
