"""Passes every observation on, followed by what it completes."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from edgeguard.fusion.pattern import Pattern
from edgeguard.fusion.term import Moment
from edgeguard.types import Observation

MOST_WAITING = 1024
"""Moments that wait for their turn; beyond, the oldest do not wait any longer."""


class FusionRule(Protocol):
    """Joins observations of several sources; all its times come from them."""

    name: str

    def update(self, observation: Observation) -> list[Observation]:
        """Take one observation, in about the order of time; returns what it completes."""


class Fuser:
    """All fusion rules and patterns of the site.

    What one source noticed is passed on at once. For the patterns it waits `settle_s`, so that what comes
    late still has its turn: whatever comes within that time gives the same, in whatever order. What comes
    later still is counted in `late` and taken as it comes. `offset_ns` by source is taken from its times.
    What `held` rules notice is passed on without its rule, as a pattern decides on it.
    """

    def __init__(
        self,
        rules: Sequence[FusionRule],
        patterns: Sequence[Pattern] = (),
        *,
        settle_s: float = 1.0,
        offset_ns: Mapping[str, int] | None = None,
        held: frozenset[str] = frozenset(),
    ) -> None:
        self._rules = rules
        self._patterns = patterns
        self._settle_ns = round(settle_s * 1e9)
        self._offset_ns = dict(offset_ns or {})
        self._held = held
        self._waiting: list[tuple[tuple[object, ...], int, Moment]] = []
        self._count = 0
        self._now_ns: int | None = None
        """How far the patterns have come."""
        self.late = self.crowded = 0

    def update(self, observation: Observation) -> list[Observation]:
        """The observation itself, then what it and the time that it tells complete."""
        quiet = observation.rule in self._held
        passed = replace(observation, rule=None) if quiet else observation
        found = [passed, *(joined for rule in self._rules for joined in rule.update(observation))]
        if not self._patterns:
            return found
        moment = Moment(observation.pts_ns - self._offset_ns.get(observation.source, 0), observation)
        if self._now_ns is not None and moment.at_ns <= self._now_ns:
            self.late += 1
            return [*found, *self._take(moment)]
        self._count += 1
        heapq.heappush(self._waiting, (moment.order, self._count, moment))
        return [*found, *self.tick(moment.at_ns, observation.utc_ns + moment.at_ns - observation.pts_ns)]

    def tick(self, now_ns: int, utc_ns: int) -> list[Observation]:
        """What is complete because it is `now_ns` (monotonic) and `utc_ns`."""
        found: list[Observation] = []
        until_ns = now_ns - self._settle_ns
        while self._waiting and (self._next_ns <= until_ns or len(self._waiting) > MOST_WAITING):
            self.crowded += self._next_ns > until_ns
            _, _, moment = heapq.heappop(self._waiting)
            found += self._advance(moment.at_ns, moment.at_ns + utc_ns - now_ns)
            found += self._take(moment)
        return [*found, *self._advance(until_ns, utc_ns - self._settle_ns)]

    def finish(self) -> list[Observation]:
        """What still waits or is held, because nothing will come any more."""
        found: list[Observation] = []
        while self._waiting:
            _, _, moment = heapq.heappop(self._waiting)
            found += self._advance(moment.at_ns, moment.seen.utc_ns + moment.at_ns - moment.seen.pts_ns)
            found += self._take(moment)
        return [*found, *(joined for pattern in self._patterns for joined in pattern.finish())]

    @property
    def _next_ns(self) -> int:
        return self._waiting[0][2].at_ns

    def _take(self, moment: Moment) -> list[Observation]:
        return [joined for pattern in self._patterns for joined in pattern.take(moment)]

    def _advance(self, now_ns: int, utc_ns: int) -> list[Observation]:
        if self._now_ns is not None and now_ns <= self._now_ns:
            return []
        self._now_ns = now_ns
        return [joined for pattern in self._patterns for joined in pattern.advance(now_ns, utc_ns)]
