"""What every part says of itself: state, reason, since when, how long ago it worked, and counters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from edgeguard.clock import Clock
from edgeguard.runtime.codes import FAULT, OFF
from edgeguard.runtime.pace import Pace, Pulse
from edgeguard.runtime.rate import Rate


class State(str, Enum):
    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    """Does not do its work, or not all of it; `reason` and `code` say why."""
    OFF = "off"
    """Not wanted, or cannot be had here; `reason` says which."""
    ENDED = "ended"
    """A file that was played to its end."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of a part."""

    state: State = State.STARTING
    reason: str | None = None
    code: str | None = None


class Part:
    """One line of the health report; written by its stage, read by anybody.

    A part that declares its pace and is well by its own account turns degraded once its pause is too long:
    what counts is the work, not that somebody says that all is well.
    """

    def __init__(self, name: str, clock: Clock, changed: Callable[[], object] = lambda: None) -> None:
        self.name = name
        self.clock = clock
        self.counters: dict[str, Any] = {}
        self.since_utc_ns = clock.utc_ns()
        self.done = 0
        """Units of work so far."""
        self._changed = changed
        self._said = _Said()
        self._late: _Said | None = None
        """Stands over what was said, while it is `ok`, or degraded and yet at work."""
        self._hung: _Said | None = None
        """Stands over everything: who hangs says nothing."""
        self._pace: Pace | None = None
        self._pulse = Pulse(clock.monotonic_ns())
        self._lock = threading.Lock()
        self._rate = Rate()

    @property
    def state(self) -> State:
        return self._now.state

    @property
    def reason(self) -> str | None:
        return self._now.reason

    @property
    def code(self) -> str | None:
        """One word for what is wrong; None where nothing is."""
        return self._now.code

    def set(self, state: State, reason: str | None = None, code: str | None = None) -> None:
        """Change state; the same again is no news. Without a `code`, what is wrong is a `fault`."""
        said = _Said(state, reason, _code(state, code))
        with self._lock:
            if said == self._said:
                return
            before = self._now
            if state is not self._said.state:
                self._pulse.begin(self.clock.monotonic_ns())
                self._late = None
            self._said = said
            news = self._moved(before)
        if news:
            self._changed()

    def expect(self, pace: Pace) -> None:
        """Declare the longest pause that is no fault."""
        with self._lock:
            self._pace = pace
            self._pulse.begin(self.clock.monotonic_ns())

    def hang(self, reason: str | None) -> None:
        """Its thread gives no sign of life; None: it does."""
        with self._lock:
            before = self._now
            self._hung = None if reason is None else _Said(State.DEGRADED, reason, "stuck")
            news = self._moved(before)
        if news:
            self._changed()

    def look(self) -> None:
        """See whether its pause is too long; called by whoever watches, again and again."""
        now_ns = self.clock.monotonic_ns()
        with self._lock:
            pace, before = self._pace, self._now
            able = self._said.state is State.OK or (self._said.state is State.DEGRADED and self._pulse.works)
            late = able and pace is not None and self._pulse.pause_s(now_ns, pace) > pace.longest_s
            self._late = _Said(State.DEGRADED, pace.reason, pace.code) if pace and late else None
            news = self._moved(before)
        if news:
            self._changed()

    @property
    def _now(self) -> _Said:
        if (hung := self._hung) is not None:
            return hung
        late = self._late
        return late if late is not None and self._said.state in _AT_WORK else self._said

    def _moved(self, before: _Said) -> bool:
        """Whether it is news; the state it is in began then."""
        if self._now.state is not before.state:
            self.since_utc_ns = self.clock.utc_ns()
        return self._now != before

    def count(self, name: str, more: int = 1) -> None:
        with self._lock:
            self.counters[name] = self.counters.get(name, 0) + more

    def note(self, **values: object) -> None:
        """Set counters that are measured elsewhere."""
        with self._lock:
            self.counters.update(values)

    def asked(self) -> None:
        """Something came that this part is to work on."""
        now_ns = self.clock.monotonic_ns()
        with self._lock:
            self._pulse.asked(now_ns)

    def rest(self) -> None:
        """What came will not be worked on, for a reason that is told elsewhere."""
        with self._lock:
            self._pulse.rest()

    def worked(self) -> None:
        """One unit of work done now: a frame, a chunk."""
        now_ns = self.clock.monotonic_ns()
        with self._lock:
            self._rate.add(now_ns)
            self._pulse.worked(now_ns)
            self.done += 1

    def report(self) -> dict[str, Any]:
        now_ns = self.clock.monotonic_ns()
        with self._lock:
            now, rate, age_s = self._now, self._rate.per_second(now_ns), self._pulse.age_s(now_ns)
            return {
                "state": now.state.value,
                "reason": now.reason,
                "code": now.code,
                "since_utc_ns": self.since_utc_ns,
                **({} if rate is None else {"rate_per_s": round(rate, 2)}),
                **({} if age_s is None else {"age_s": round(age_s, 1)}),
                **self._expected(now_ns),
                **self.counters,
            }

    def _expected(self, now_ns: int) -> dict[str, Any]:
        """The longest pause, and how long what waits has been waiting."""
        if self._pace is None:
            return {}
        limit = {"age_limit_s": self._pace.longest_s}
        if not self._pace.on_demand:
            return limit
        return {**limit, "owed_s": round(self._pulse.pause_s(now_ns, self._pace), 1)}


_AT_WORK = (State.OK, State.DEGRADED)


def _code(state: State, code: str | None) -> str | None:
    if state is State.DEGRADED:
        return code or FAULT
    return code or OFF if state is State.OFF else None


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

    def known(self, name: str) -> Part | None:
        """The part of that name, if there is one."""
        return self._parts.get(name)

    def drop(self, name: str) -> None:
        """Forget a part that is no more; the next one of that name begins anew."""
        if self._parts.pop(name, None) is not None:
            self.news.set()

    def look(self) -> None:
        """See whether every part keeps its pace."""
        for part in list(self._parts.values()):
            part.look()

    def report(self) -> dict[str, dict[str, Any]]:
        return {name: part.report() for name, part in list(self._parts.items())}

    @property
    def summary(self) -> str:
        """In one line: the state, and of what is degraded the codes."""
        parts = list(self._parts.values())
        wrong = [f"{part.name} {part.code}" for part in parts if part.state is State.DEGRADED]
        return f"{self.state.value}: {', '.join(wrong)}" if wrong else self.state.value

    @property
    def state(self) -> State:
        """`degraded` if any part is, `starting` while any part is, else `ok`."""
        states = {part.state for part in list(self._parts.values())}
        if State.DEGRADED in states:
            return State.DEGRADED
        return State.STARTING if State.STARTING in states else State.OK
