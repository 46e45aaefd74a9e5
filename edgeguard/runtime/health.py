"""What every part says of itself: state, reason, since when, and counters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from edgeguard.clock import Clock
from edgeguard.runtime.rate import Rate


class State(str, Enum):
    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    """Does not do its work, or not all of it; `reason` says why."""
    OFF = "off"
    """Not wanted, or cannot be had here; `reason` says which."""
    ENDED = "ended"
    """A file that was played to its end."""


@dataclass
class Part:
    """One line of the health report; written by its stage, read by anybody."""

    name: str
    clock: Clock
    state: State = State.STARTING
    reason: str | None = None
    since_utc_ns: int = 0
    counters: dict[str, Any] = field(default_factory=dict)
    changed: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.since_utc_ns = self.clock.utc_ns()
        self._lock = threading.Lock()
        self._rate = Rate()
        self.done = 0
        """Units of work so far."""

    def set(self, state: State, reason: str | None = None) -> None:
        """Change state; the same state and reason again is no news."""
        with self._lock:
            if (state, reason) == (self.state, self.reason):
                return
            if state is not self.state:
                self.since_utc_ns = self.clock.utc_ns()
            self.state, self.reason = state, reason
        self.changed()

    def count(self, name: str, more: int = 1) -> None:
        with self._lock:
            self.counters[name] = self.counters.get(name, 0) + more

    def note(self, **values: object) -> None:
        """Set counters that are measured elsewhere."""
        with self._lock:
            self.counters.update(values)

    def worked(self) -> None:
        """One unit of work done now: a frame, a chunk."""
        with self._lock:
            self._rate.add(self.clock.monotonic_ns())
            self.done += 1

    def report(self) -> dict[str, Any]:
        with self._lock:
            rate = self._rate.per_second(self.clock.monotonic_ns())
            return {
                "state": self.state.value,
                "reason": self.reason,
                "since_utc_ns": self.since_utc_ns,
                **({} if rate is None else {"rate_per_s": round(rate, 2)}),
                **self.counters,
            }


class HealthBoard:
    """All parts of the daemon."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._parts: dict[str, Part] = {}
        self.news = threading.Event()
        """Set when a part changed its state."""

    def part(self, name: str) -> Part:
        """The part of that name, made at its first mention."""
        if name not in self._parts:
            self._parts[name] = Part(name, self._clock, changed=self.news.set)
        return self._parts[name]

    def drop(self, name: str) -> None:
        """Forget a part that is no more; the next one of that name begins anew."""
        if self._parts.pop(name, None) is not None:
            self.news.set()

    def report(self) -> dict[str, dict[str, Any]]:
        return {name: part.report() for name, part in list(self._parts.items())}

    @property
    def state(self) -> State:
        """`degraded` if any part is, `starting` while any part is, else `ok`."""
        states = {part.state for part in list(self._parts.values())}
        if State.DEGRADED in states:
            return State.DEGRADED
        return State.STARTING if State.STARTING in states else State.OK
