"""One time for a whole log of observations, in which the clock was set and the box started anew."""

from __future__ import annotations

from edgeguard.types import Observation

_STEP_NS = 500_000_000
"""Two clocks that go apart by less are the same two clocks."""
_SOON_NS = 60_000_000_000
"""Whatever comes within so long by the monotonic clock, also late, is of the same start of the box."""


class ReplayTime:
    """UTC as long as it passes as the monotonic clock does; where it was stepped, the monotonic clock counts.

    Another start of the box has another monotonic clock: its time goes on from UTC, but never back. An
    observation that comes late has an earlier time, as it had in the daemon.
    """

    def __init__(self) -> None:
        self.ahead_ns = 0
        """How far it is ahead of UTC."""
        self._last: Observation | None = None
        self._latest_ns = 0

    def at(self, seen: Observation) -> int:
        """The time of the next observation of the log."""
        if self._last is not None:
            passed_ns = seen.pts_ns - self._last.pts_ns
            stepped_ns = seen.utc_ns - self._last.utc_ns - passed_ns
            if abs(stepped_ns) > _STEP_NS:
                self._follow(seen, self._last, passed_ns, stepped_ns)
        self._last = seen
        at_ns = seen.utc_ns + self.ahead_ns
        self._latest_ns = max(self._latest_ns, at_ns)
        return at_ns

    def _follow(self, seen: Observation, last: Observation, passed_ns: int, stepped_ns: int) -> None:
        started_ns = seen.utc_ns - seen.pts_ns
        is_same_start = passed_ns >= -_SOON_NS and (passed_ns <= _SOON_NS or started_ns < last.utc_ns)
        if is_same_start:
            self.ahead_ns -= stepped_ns
        else:
            self.ahead_ns = max(0, self._latest_ns - seen.utc_ns)
