"""How often something may happen."""

from __future__ import annotations

from edgeguard.clock import Clock


class TokenBucket:
    """`burst` at once, and `per_s` more each second of the monotonic clock."""

    def __init__(self, clock: Clock, per_s: float, burst: int) -> None:
        self._clock = clock
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._filled_ns = clock.monotonic_ns()

    def take(self, count: float = 1) -> bool:
        """Whether it may happen now, `count` times; if so it counts."""
        now_ns = self._clock.monotonic_ns()
        self._tokens = min(self._burst, self._tokens + (now_ns - self._filled_ns) / 1e9 * self._per_s)
        self._filled_ns = now_ns
        if self._tokens < count:
            return False
        self._tokens -= count
        return True
