"""Notices when UTC is stepped: by hand, or by the first synchronisation after a start without a clock."""

from __future__ import annotations

from edgeguard.clock import Clock

_STEP_NS = 500_000_000
"""Smaller steps are no news while the clock's state stays the same."""
_SMALLEST_STEP_NS = 10_000_000
"""Smaller ones are none when the clock becomes synchronised: two clocks are not read at one moment."""


class ClockWatch:
    """Compares UTC with the monotonic clock, which slews with it but never steps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ns = self._offset()
        self._synced = False

    def step_ms(self, quality: str) -> float:
        """By how much UTC was stepped forward since the last step that was noticed; 0.0 if it was not."""
        step_ns = self._offset() - self._offset_ns
        became_synced = quality == "synced" and not self._synced
        self._synced = quality == "synced"
        if abs(step_ns) < (_SMALLEST_STEP_NS if became_synced else _STEP_NS):
            return 0.0
        self._offset_ns += step_ns
        return step_ns / 1e6

    def _offset(self) -> int:
        """UTC minus monotonic; of three readings the closest, as threads lose the processor."""
        readings = []
        for _ in range(3):
            before_ns = self._clock.monotonic_ns()
            utc_ns = self._clock.utc_ns()
            after_ns = self._clock.monotonic_ns()
            readings.append((after_ns - before_ns, utc_ns - before_ns))
        return min(readings)[1]
