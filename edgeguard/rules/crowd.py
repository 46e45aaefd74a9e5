"""Too many are in a zone."""

from __future__ import annotations

from edgeguard.rules.occupancy import Occupancy
from edgeguard.rules.rule import observe
from edgeguard.types import Measure, Observation, Phase, Polygon, Tracks

_EVERY_NS = 1_000_000_000
_GLIMPSE_NS = 1_000_000_000
"""How long ago somebody may have been seen last and still help a crowd to begin."""


class Crowd:
    """At least `count` tracks have been in the zone for `hold_s`, until fewer have been for as long."""

    kind = "crowd"

    def __init__(
        self,
        name: str,
        zone: str,
        polygon: Polygon,
        count: int,
        hold_s: float = 1.0,
        labels: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self._zone = zone
        self._count = count
        self._hold_ns = round(hold_s * 1e9)
        self._occupancy = Occupancy(polygon, labels)
        self._crowded = False
        self._contrary_since_ns: int | None = None
        self._told_ns = 0

    def update(self, tracks: Tracks) -> list[Observation]:
        self._occupancy.update(tracks)
        crowded = len(self._present(tracks.pts_ns)) >= self._count
        if crowded == self._crowded:
            self._contrary_since_ns = None
            return [self._say(tracks, Phase.CONTINUES)] if crowded and self._due(tracks.pts_ns) else []
        if self._contrary_since_ns is None:
            self._contrary_since_ns = tracks.pts_ns
        if tracks.pts_ns - self._contrary_since_ns < self._hold_ns:
            return []
        self._crowded, self._contrary_since_ns = crowded, None
        return [self._say(tracks, Phase.BEGAN if crowded else Phase.ENDED)]

    def _present(self, now_ns: int) -> list[int]:
        """Ids of those in the zone; a crowd that has begun remembers who is hidden for a moment."""
        oldest_ns = 0 if self._crowded else now_ns - _GLIMPSE_NS
        return [stay.track_id for stay in self._occupancy.inside if stay.seen_ns >= oldest_ns]

    def _due(self, now_ns: int) -> bool:
        return now_ns - self._told_ns >= _EVERY_NS

    def _say(self, tracks: Tracks, phase: Phase) -> Observation:
        self._told_ns = tracks.pts_ns
        ids = self._present(tracks.pts_ns)
        rows = [row for row in range(len(tracks)) if int(tracks.track_id[row]) in ids]
        return observe(
            self.kind,
            tracks,
            rule=self.name,
            key=self._zone,
            zone=self._zone,
            phase=phase,
            rows=rows,
            track_ids=tuple(ids),
            measures=(Measure("count", len(ids), ">=", self._count),),
        )
