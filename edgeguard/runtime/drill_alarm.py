"""The alert that stays open until a drill passes."""

from __future__ import annotations

from edgeguard.clock import Clock
from edgeguard.runtime.channel import Channel
from edgeguard.types import Measure, Observation, Phase, drill

KIND, SOURCE = "drill_missed", "system"
_AGAIN_NS = 10_000_000_000
"""How often it is said that none passes; the alert closes when that is no longer said."""


class DrillAlarm:
    """Observes that no drill passes, again and again, and once that one did."""

    def __init__(self, observations: Channel[Observation], clock: Clock) -> None:
        self._observations = observations
        self._clock = clock
        self._said_ns: int | None = None
        """When it was said last that none passes; None while that need not be said."""

    def look(self, fault: tuple[str, str] | None) -> None:
        """`fault`: reason and code of what is wrong; None: nothing is."""
        now_ns = self._clock.monotonic_ns()
        if fault is None:
            if self._said_ns is not None:
                self._said_ns = None
                self._observe(Phase.ENDED, "passed", "ok", now_ns)
        elif self._said_ns is None or now_ns - self._said_ns >= _AGAIN_NS:
            phase = Phase.BEGAN if self._said_ns is None else Phase.CONTINUES
            self._said_ns = now_ns
            self._observe(phase, *fault, now_ns)

    def _observe(self, phase: Phase, reason: str, code: str, now_ns: int) -> None:
        measures = (Measure("reason", reason), Measure("code", code))
        self._observations.put(
            Observation(
                *(KIND, SOURCE, now_ns, self._clock.utc_ns(), 1.0),
                phase=phase,
                rule=drill.MISSED,
                key=KIND,
                measures=measures,
            )
        )
