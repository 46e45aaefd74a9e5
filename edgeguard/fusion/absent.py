"""Something that should be seen or heard is not."""

from __future__ import annotations

from collections.abc import Callable

from edgeguard.fusion.term import KIND, Moment, Term, told
from edgeguard.types import Measure, Observation

_MINUTE_NS = 60_000_000_000
_MOST_MINUTES = 1440
"""Of a gap in time that are looked at: after a longer one, waiting begins anew."""


class Absent:
    """Nothing fits `term` for `for_s` while `armed`; told again each time that it lasts as long again.

    `armed` takes UTC nanoseconds and is asked once a minute, as schedules change with the minute. Waiting
    begins with the first time that is known, with the schedule, and with each moment that fits.
    """

    def __init__(
        self, name: str, term: Term, for_s: float, source: str, armed: Callable[[int], bool] | None = None
    ) -> None:
        self.name = name
        self._term = term
        self._for_s = for_s
        self._for_ns = round(for_s * 1e9)
        self._source = source
        self._armed = armed or (lambda _: True)
        self._since_ns: int | None = None
        self._told_ns = self._minute = 0
        self._off = False
        self._last: Observation | None = None

    def take(self, moment: Moment) -> list[Observation]:
        if self._term.fits(moment.seen):
            self._last = moment.seen
            self._begin(moment.at_ns)
        return []

    def advance(self, now_ns: int, utc_ns: int, /) -> list[Observation]:
        offset_ns = utc_ns - now_ns
        if self._since_ns is None:
            self._begin(now_ns)
        if not self._minute or utc_ns // _MINUTE_NS < self._minute:  # it begins, or UTC was set back
            self._minute = utc_ns // _MINUTE_NS
            self._hold_off(utc_ns, now_ns)
        found: list[Observation] = []
        if utc_ns // _MINUTE_NS - self._minute > _MOST_MINUTES:
            self._minute = utc_ns // _MINUTE_NS
            self._begin(now_ns)
        for minute in range(self._minute + 1, utc_ns // _MINUTE_NS + 1):
            found += self._due(minute * _MINUTE_NS - offset_ns, offset_ns)
            self._hold_off(minute * _MINUTE_NS, minute * _MINUTE_NS - offset_ns)
        self._minute = utc_ns // _MINUTE_NS
        return [*found, *self._due(now_ns, offset_ns)]

    def finish(self) -> list[Observation]:
        return []

    def _begin(self, at_ns: int) -> None:
        """Wait from then on, unless something later was known already."""
        self._since_ns = self._told_ns = at_ns if self._since_ns is None else max(at_ns, self._since_ns)

    def _hold_off(self, utc_ns: int, now_ns: int) -> None:
        """Nothing is missed in a minute without the schedule."""
        self._off = not self._armed(utc_ns)
        if self._off:
            self._begin(now_ns)

    def _due(self, now_ns: int, offset_ns: int) -> list[Observation]:
        if self._off:
            self._begin(now_ns)
            return []
        found: list[Observation] = []
        while now_ns >= self._told_ns + self._for_ns:
            self._told_ns += self._for_ns
            found.append(self._tell(self._told_ns, self._told_ns + offset_ns))
        return found

    def _tell(self, at_ns: int, utc_ns: int) -> Observation:
        since_ns = at_ns if self._since_ns is None else self._since_ns
        return Observation(
            KIND,
            self._source,
            at_ns,
            utc_ns,
            1.0,
            rule=self.name,
            zone=self._term.zone,
            label=min(self._term.labels) if self._term.labels else None,
            measures=(Measure("absent_s", round((at_ns - since_ns) / 1e9, 1), ">=", self._for_s),),
            joined=() if self._last is None else (told(self._last),),
        )
