"""Several things within a few seconds of each other, in any order."""

from __future__ import annotations

from collections.abc import Sequence

from edgeguard.fusion.pattern import Recent, Unless
from edgeguard.fusion.term import Moment, Term, joined, span_s
from edgeguard.types import Measure, Observation

_CHOICES = 4
"""Moments that are tried for one place of the pattern."""


class Together:
    """Each of `terms` by a moment of its own, all within `within_s`, and nothing of `unless` near them.

    What happened is told once; what goes on may be told again with the next thing that happens.
    """

    def __init__(
        self, name: str, terms: Sequence[Term], within_s: float, unless: Sequence[Term] = ()
    ) -> None:
        self.name = name
        self._within_s = within_s
        self._within_ns = round(within_s * 1e9)
        self._terms = terms
        self._places = [Recent([term], self._within_ns) for term in terms]
        self._unless = Unless(unless, self._within_ns)

    def take(self, moment: Moment) -> list[Observation]:
        self._unless.take(moment)
        fitting = [index for index, place in enumerate(self._places) if place.take(moment)]
        for index in fitting:
            if found := self._complete(moment, index):
                for place in self._places:
                    place.drop(found)
                return self._unless.hold(moment.at_ns, self._tell(found))
        return []

    def advance(self, now_ns: int, _utc_ns: int, /) -> list[Observation]:
        return self._unless.advance(now_ns)

    def finish(self) -> list[Observation]:
        return self._unless.finish()

    def _complete(self, moment: Moment, index: int) -> list[Moment]:
        """A moment for each place, `moment` at `index`; empty if there is none for one."""
        others = [place for number, place in enumerate(self._places) if number != index]
        return self._fill([moment], others)

    def _fill(self, chosen: list[Moment], places: Sequence[Recent]) -> list[Moment]:
        if not places:
            return chosen if any(moment.is_new for moment in chosen) else []
        for candidate in places[0].near(chosen[0].at_ns)[:_CHOICES]:
            more = [*chosen, candidate]
            fits = candidate.what not in {moment.what for moment in chosen} and span_s(more) <= self._within_s
            if fits and (found := self._fill(more, places[1:])):
                return found
        return []

    def _tell(self, found: Sequence[Moment]) -> Observation:
        apart = Measure("apart_s", span_s(found), "<=", self._within_s)
        return joined(self.name, found, [Measure("joined", len(found)), apart])
