"""What all patterns have in common, and what keeps one from being told."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from edgeguard.fusion.term import Moment, Term
from edgeguard.types import Observation

KEPT = 32
"""Moments that one place of a pattern remembers; older ones give way."""


class Pattern(Protocol):
    """Joins moments that come in the order of time; owns bounded state and knows no clock."""

    name: str

    def take(self, moment: Moment) -> list[Observation]:
        """What this moment completes."""

    def advance(self, now_ns: int, utc_ns: int, /) -> list[Observation]:
        """What has become true because nothing else came until `now_ns`."""

    def finish(self) -> list[Observation]:
        """What is held, as nothing will come any more: rather an alert too many than one that is lost."""


class Recent:
    """The moments that fit any of `terms`, within `within_ns` of the newest, at most `KEPT`."""

    def __init__(self, terms: Sequence[Term], within_ns: int) -> None:
        self._terms = terms
        self._within_ns = within_ns
        self._moments: deque[Moment] = deque(maxlen=KEPT)

    def take(self, moment: Moment) -> bool:
        """Remember it if it fits."""
        fits = moment.lasts and any(term.fits(moment.seen) for term in self._terms)
        if fits:
            self._moments.append(moment)
        return fits

    def near(self, at_ns: int) -> list[Moment]:
        """Those within reach of `at_ns`, newest first."""
        return [m for m in reversed(self._moments) if abs(at_ns - m.at_ns) <= self._within_ns]

    def drop(self, moments: Sequence[Moment]) -> None:
        """They have been told, and are not told again."""
        told = {moment.what for moment in moments}
        self._moments = deque((m for m in self._moments if m.what not in told), maxlen=KEPT)

    def __len__(self) -> int:
        return len(self._moments)


class Unless:
    """Holds what a pattern found for `within_ns`: it is told if none of `terms` is seen before or after."""

    def __init__(self, terms: Sequence[Term], within_ns: int) -> None:
        self._against = Recent(terms, within_ns)
        self._within_ns = within_ns if terms else 0
        self._held: deque[tuple[int, Observation]] = deque()
        """At most `KEPT`: beyond, the oldest is told before its time."""

    def take(self, moment: Moment) -> None:
        if self._against.take(moment):
            kept = [held for held in self._held if abs(moment.at_ns - held[0]) > self._within_ns]
            self._held = deque(kept)

    def hold(self, at_ns: int, found: Observation) -> list[Observation]:
        """At once where nothing can speak against it."""
        if not self._within_ns:
            return [found]
        if self._against.near(at_ns):
            return []
        self._held.append((at_ns, found))
        return [self._held.popleft()[1]] if len(self._held) > KEPT else []

    def advance(self, now_ns: int) -> list[Observation]:
        due = [found for at_ns, found in self._held if at_ns + self._within_ns < now_ns]
        self._held = deque(h for h in self._held if h[0] + self._within_ns >= now_ns)
        return due

    def finish(self) -> list[Observation]:
        held, self._held = self._held, deque()
        return [found for _, found in held]
