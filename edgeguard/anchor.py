"""Source time to the box's own clocks."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.clock import Clock

_FAR_NS = 2_000_000_000
_OLDEST_NS = 120_000_000_000
"""How long a picture may have waited, encoded, before it was decoded."""
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

    def __init__(self, clock: Clock, live: bool, not_before_ns: int | None = None) -> None:
        """`not_before_ns` is the earliest monotonic time that the first sample may be given."""
        self._clock = clock
        self._live = live
        self._not_before_ns = not_before_ns
        self._offset_ns: int | None = None
        self._arrived_ns = 0

    def stamp(self, running_ns: int | None) -> Times:
        """The times of a sample that arrives now; None is a source that does not stamp."""
        if running_ns is not None:
            self.follow(running_ns, self._clock.monotonic_ns())
        return self.times(running_ns)

    def times(self, running_ns: int | None) -> Times:
        """The times of a sample that is here now, but came earlier, when `follow` was told of it.

        A live sample that the anchor cannot place (its times jumped meanwhile) was taken now.
        """
        arrived_ns = self._clock.monotonic_ns()
        pts_ns = arrived_ns
        if running_ns is not None and self._offset_ns is not None:
            pts_ns = running_ns + self._offset_ns
            if self._live and not -_OLDEST_NS < pts_ns - arrived_ns < _FAR_NS:
                pts_ns = arrived_ns
        return Times(pts_ns, pts_ns + self._clock.utc_ns() - arrived_ns, arrived_ns)

    def follow(self, running_ns: int, arrived_ns: int) -> None:
        """A sample with this time came at `arrived_ns` (monotonic)."""
        if self._offset_ns is None:
            self._offset_ns = max(arrived_ns, self._not_before_ns or arrived_ns) - running_ns
        elif self._live:
            late_ns = arrived_ns - running_ns - self._offset_ns
            share = min((arrived_ns - self._arrived_ns) / _FOLLOW_NS, 1.0) if abs(late_ns) <= _FAR_NS else 1.0
            self._offset_ns += round(late_ns * share)
        self._arrived_ns = arrived_ns
