"""Somebody came into a zone, left it, or is in it."""

from __future__ import annotations

from edgeguard.rules.occupancy import Change, Occupancy, Stay, observe_stay, rows_of_stay
from edgeguard.rules.rule import observe
from edgeguard.types import Measure, Observation, Phase, Polygon, Tracks

_EVERY_NS = 1_000_000_000


class _ZonePassage:
    """A track went over the zone's border in the way that `_counts` names."""

    kind: str

    def __init__(self, name: str, zone: str, polygon: Polygon, labels: frozenset[str] | None = None) -> None:
        self.name = name
        self._zone = zone
        self._occupancy = Occupancy(polygon, labels)

    def update(self, tracks: Tracks) -> list[Observation]:
        return [
            _happened(self.kind, self.name, self._zone, tracks, change)
            for change in self._occupancy.update(tracks)
            if self._counts(change)
        ]

    def _counts(self, change: Change) -> bool:
        raise NotImplementedError


class ZoneEntered(_ZonePassage):
    """A track came into the zone, or appeared in it."""

    kind = "zone_entered"

    def _counts(self, change: Change) -> bool:
        return change.entered


class ZoneLeft(_ZonePassage):
    """A track that was in the zone is seen outside it; one that is merely lost has not left."""

    kind = "zone_left"

    def _counts(self, change: Change) -> bool:
        return not change.entered and change.seen


class Presence:
    """Who is in the zone, for rules that join it with what is heard; no alert of its own.

    Told again every second while it lasts, so that who listens knows when nobody looks any more.
    """

    kind = "presence"

    def __init__(self, zone: str, polygon: Polygon, labels: frozenset[str] | None = None) -> None:
        self.name = f"presence in {zone}"
        self._zone = zone
        self._occupancy = Occupancy(polygon, labels)
        self._told_ns: dict[int, int] = {}
        """When each stay was last told."""

    def update(self, tracks: Tracks) -> list[Observation]:
        changes = [
            self._say(tracks, change.stay, Phase.BEGAN if change.entered else Phase.ENDED)
            for change in self._occupancy.update(tracks)
        ]
        return changes + [
            self._say(tracks, stay, Phase.CONTINUES)
            for stay in self._occupancy.inside
            if stay.seen_ns == tracks.pts_ns
            and not 0 <= tracks.pts_ns - self._told_ns.get(stay.first_id, 0) < _EVERY_NS
        ]

    def _say(self, tracks: Tracks, stay: Stay, phase: Phase) -> Observation:
        self._told_ns[stay.first_id] = tracks.pts_ns
        if phase is Phase.ENDED:
            self._told_ns.pop(stay.first_id, None)  # an heir and a track that came back share one
        return observe_stay(self.kind, tracks, stay, rule=None, zone=self._zone, phase=phase)


def _happened(kind: str, rule: str, zone: str, tracks: Tracks, change: Change) -> Observation:
    rows = rows_of_stay(tracks, change.stay)
    confidence = round(float(tracks.confidence[rows[0]]), 3)
    return observe(
        kind,
        tracks,
        rule=rule,
        key=str(change.stay.track_id),
        zone=zone,
        rows=rows,
        measures=(Measure("confidence", confidence),),
    )
