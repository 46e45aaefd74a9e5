"""Where spans lie in UTC, though each boot had a clock of its own that may never have been right."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeguard.coverage.ledger import PLAUSIBLE_NS


@dataclass(frozen=True, slots=True)
class Interval:
    """`source` was not watched."""

    source: str
    cause: str
    from_utc_ns: int
    to_utc_ns: int
    """Of the newest record for one that is not over."""
    over: bool = True

    @property
    def lasted_s(self) -> float:
        return (self.to_utc_ns - self.from_utc_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Moment:
    """A monotonic time of one boot, which never steps."""

    boot: str
    mono_ns: int


@dataclass(frozen=True, slots=True)
class Span:
    """An interval whose UTC is not settled yet."""

    source: str
    cause: str
    start: Moment
    end: Moment


Utc = Callable[[Moment], int]


def placed(spans: Sequence[Span], going_on: Sequence[Span], utc: Utc) -> list[Interval]:
    """The intervals of each source, in the order of time, none over another.

    What happened earlier cannot have been later: where a boot's clock was ahead of the boots after it, its
    intervals are cut off where theirs begin. A clock that was never set cuts nothing off.
    """
    every = [*spans, *going_on]
    found: dict[str, list[Interval]] = defaultdict(list)
    for count, (span, from_ns, to_ns) in enumerate(_cut_off(every, utc)):
        before = found[span.source]
        begin_ns = max(from_ns, before[-1].to_utc_ns if before else 0)
        end_ns = max(to_ns, begin_ns)
        before.append(Interval(span.source, span.cause, begin_ns, end_ns, over=count < len(spans)))
    return [one for of_it in found.values() for one in of_it if one.lasted_s > 0 or not one.over]


def _cut_off(spans: Sequence[Span], utc: Utc) -> list[tuple[Span, int, int]]:
    """Each with begin and end, of which none is after the begin of a later one of its source."""
    limits: dict[str, float] = {}
    cut = []
    for span in reversed(spans):
        end_ns = round(min(utc(span.end), limits.get(span.source, math.inf)))
        begin_ns = min(utc(span.start), end_ns)
        if begin_ns >= PLAUSIBLE_NS:
            limits[span.source] = begin_ns
        cut.append((span, begin_ns, end_ns))
    return cut[::-1]
