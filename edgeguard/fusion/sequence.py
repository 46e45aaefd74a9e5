"""One thing after another."""

from __future__ import annotations

from collections.abc import Sequence as Steps

from edgeguard.fusion.pattern import Unless
from edgeguard.fusion.term import Moment, Term, joined, span_s
from edgeguard.types import Measure, Observation


class Sequence:
    """Each of `terms` later than the one before, the last at most `within_s` after the first.

    Of several beginnings the newest is kept, so that one chain per length is all the state.
    """

    def __init__(self, name: str, terms: Steps[Term], within_s: float, unless: Steps[Term] = ()) -> None:
        self.name = name
        self._terms = terms
        self._within_s = within_s
        self._unless = Unless(unless, round(within_s * 1e9))
        self._chains: dict[int, list[Moment]] = {}
        """By their length, those that are not complete."""

    def take(self, moment: Moment) -> list[Observation]:
        self._unless.take(moment)
        if not moment.lasts:
            return []
        for length in range(len(self._terms), 0, -1):
            chain = self._chains.get(length - 1, [])
            if not self._terms[length - 1].fits(moment.seen) or not self._leads_on(chain, moment, length):
                continue
            if length == len(self._terms):
                self._chains.clear()
                return self._unless.hold(moment.at_ns, self._tell([*chain, moment]))
            self._chains[length] = [*chain, moment]
        return []

    def advance(self, now_ns: int, _utc_ns: int, /) -> list[Observation]:
        return self._unless.advance(now_ns)

    def finish(self) -> list[Observation]:
        return self._unless.finish()

    def _leads_on(self, chain: Steps[Moment], moment: Moment, length: int) -> bool:
        if len(chain) != length - 1:
            return False
        later = not chain or moment.at_ns > chain[-1].at_ns
        return later and span_s([*chain, moment]) <= self._within_s

    def _tell(self, chain: Steps[Moment]) -> Observation:
        took = Measure("took_s", span_s(chain), "<=", self._within_s)
        return joined(self.name, chain, [Measure("steps", len(chain)), took])
