"""What one rule notices counts only with a second witness."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from edgeguard.fusion.pattern import KEPT, Recent
from edgeguard.fusion.term import Moment, Term, joined, span_s
from edgeguard.types import Measure, Observation

ALONE = "#alone"
"""Follows the pattern's name in the rule of what found no witness in time."""


class Witnessed:
    """What `term` fits is held until something else of `by` is seen within `within_s` before or after it.

    With `tell_alone`, what no witness confirmed is told in the end under the rule `<name>#alone`.
    """

    def __init__(
        self, name: str, term: Term, by: Sequence[Term], within_s: float, *, tell_alone: bool = False
    ) -> None:
        self.name = name
        self._term = term
        self._within_s = within_s
        self._within_ns = round(within_s * 1e9)
        self._witnesses = Recent(by, self._within_ns)
        self._tell_alone = tell_alone
        self._held: deque[Moment] = deque()
        """At most `KEPT`: beyond, the oldest does not wait any longer."""

    def take(self, moment: Moment) -> list[Observation]:
        found = self._confirm(moment) if self._witnesses.take(moment) else []
        if moment.is_new and self._term.fits(moment.seen):
            witnesses = [w for w in self._witnesses.near(moment.at_ns) if w.what != moment.what]
            if witnesses:
                return [*found, self._tell([moment, witnesses[0]])]
            self._held.append(moment)
            over = [self._held.popleft()] if len(self._held) > KEPT else []
            return [*found, *self._give_up(over)]
        return found

    def advance(self, now_ns: int, _utc_ns: int, /) -> list[Observation]:
        over = [held for held in self._held if held.at_ns + self._within_ns < now_ns]
        self._held = deque(held for held in self._held if held not in over)
        return self._give_up(over)

    def finish(self) -> list[Observation]:
        held, self._held = self._held, deque()
        return self._give_up(held)

    def _confirm(self, witness: Moment) -> list[Observation]:
        near = [
            held
            for held in self._held
            if abs(witness.at_ns - held.at_ns) <= self._within_ns and witness.what != held.what
        ]
        self._held = deque(held for held in self._held if held not in near)
        return [self._tell([held, witness]) for held in near]

    def _tell(self, found: Sequence[Moment]) -> Observation:
        apart = Measure("apart_s", span_s(found), "<=", self._within_s)
        return joined(self.name, found, [Measure("witness", found[1].seen.source), apart])

    def _give_up(self, over: Iterable[Moment]) -> list[Observation]:
        return [self._alone(held) for held in over] if self._tell_alone else []

    def _alone(self, held: Moment) -> Observation:
        return joined(self.name + ALONE, [held], [Measure("waited_s", self._within_s)])
