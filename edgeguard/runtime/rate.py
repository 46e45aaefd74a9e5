"""How often something happens."""

from __future__ import annotations

from collections import deque

_WINDOW = 50
_STALE_NS = 30_000_000_000


class Rate:
    """Events per second over the last fifty events; zero once they stop."""

    def __init__(self) -> None:
        self._times_ns: deque[int] = deque(maxlen=_WINDOW)

    def add(self, now_ns: int) -> None:
        self._times_ns.append(now_ns)

    def per_second(self, now_ns: int) -> float | None:
        """None before the first event."""
        if not self._times_ns:
            return None
        quiet_ns = now_ns - self._times_ns[-1]
        span_ns = self._times_ns[-1] - self._times_ns[0]
        if quiet_ns > _STALE_NS or len(self._times_ns) < 2:
            return 0.0
        expected_gap_ns = span_ns / (len(self._times_ns) - 1)
        return (len(self._times_ns) - 1) * 1e9 / (span_ns + max(0.0, quiet_ns - expected_gap_ns))
