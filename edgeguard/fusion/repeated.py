"""The same thing again and again."""

from __future__ import annotations

from collections import deque

from edgeguard.fusion.term import Moment, Term, joined, span_s
from edgeguard.types import Measure, Observation


class Repeated:
    """`count` times within `within_s`. What goes on counts once; after it was told, counting begins anew."""

    def __init__(self, name: str, term: Term, count: int, within_s: float) -> None:
        self.name = name
        self._term = term
        self._count = count
        self._within_s = within_s
        self._moments: deque[Moment] = deque(maxlen=count)

    def take(self, moment: Moment) -> list[Observation]:
        known = any(moment.what == other.what for other in self._moments)
        if known or not moment.is_new or not self._term.fits(moment.seen):
            return []
        self._moments.append(moment)
        if len(self._moments) < self._count or span_s(self._moments) > self._within_s:
            return []
        found = list(self._moments)
        self._moments.clear()
        count = Measure("count", len(found), ">=", self._count)
        return [joined(self.name, found, [count, Measure("took_s", span_s(found), "<=", self._within_s)])]

    def advance(self, _now_ns: int, _utc_ns: int, /) -> list[Observation]:
        return []

    def finish(self) -> list[Observation]:
        return []
