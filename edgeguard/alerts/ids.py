"""Alert ids: UUID version 7 (RFC 9562, section 5.7), in rising order within a process."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from uuid import UUID

from edgeguard.clock import Clock

_TAIL_BITS = 74
"""rand_a (12) and rand_b (62) taken as one number."""
_STEP_BITS = 32


class Uuid7:
    """Calling it gives a new id, larger than every earlier one even where the clock stands or steps back.

    Within one millisecond the random tail is incremented by a random step (RFC 9562, section 6.2, method 2).
    """

    def __init__(self, clock: Clock, randbits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._randbits = randbits
        self._milliseconds = -1
        self._tail = 0

    def __call__(self) -> str:
        now = max(0, self._clock.utc_ns() // 1_000_000)
        if now > self._milliseconds:
            self._milliseconds, self._tail = now, self._randbits(_TAIL_BITS - 1)
        else:
            self._increment()
        high, low = self._tail >> 62, self._tail & ((1 << 62) - 1)
        return str(UUID(int=self._milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))

    def _increment(self) -> None:
        self._tail += 1 + self._randbits(_STEP_BITS)
        if self._tail >> _TAIL_BITS:
            self._milliseconds, self._tail = self._milliseconds + 1, self._randbits(_TAIL_BITS - 1)
