"""Somebody came into a zone, left it, or is in it."""

from __future__ import annotations

from edgeguard.rules.occupancy import Change, Occupancy
from edgeguard.rules.rule import observe
from edgeguard.types import Measure, Observation, Phase, Polygon, Tracks


class ZoneEntered:
    """A track came into the zone, or appeared in it."""

    kind = "zone_entered"

    def __init__(self, name: str, zone: str, polygon: Polygon, labels: frozenset[str] | None = None) -> None:
        self.name = name
        self._zone = zone
        self._occupancy = Occupancy(polygon, labels)

    def update(self, tracks: Tracks) -> list[Observation]:
        return [
            _happened(self.kind, self.name, self._zone, tracks, change)
            for change in self._occupancy.update(tracks)
            if change.entered
        ]


class ZoneLeft:
    """A track that was in the zone is seen outside it; one that is merely lost has not left."""

    kind = "zone_left"

    def __init__(self, name: str, zone: str, polygon: Polygon, labels: frozenset[str] | None = None) -> None:
        self.name = name
        self._zone = zone
        self._occupancy = Occupancy(polygon, labels)

    def update(self, tracks: Tracks) -> list[Observation]:
        return [
            _happened(self.kind, self.name, self._zone, tracks, change)
            for change in self._occupancy.update(tracks)
            if not change.entered and change.seen
        ]


class Presence:
    """Who is in the zone, for rules that join it with what is heard; no alert of its own."""

    kind = "presence"

    def __init__(self, zone: str, polygon: Polygon, labels: frozenset[str] | None = None) -> None:
        self.name = f"presence in {zone}"
        self._zone = zone
        self._occupancy = Occupancy(polygon, labels)

    def update(self, tracks: Tracks) -> list[Observation]:
        return [
            observe(
                self.kind,
                tracks,
                rule=None,
                key=str(change.stay.track_id),
                zone=self._zone,
                phase=Phase.BEGAN if change.entered else Phase.ENDED,
                rows=_rows(tracks, change),
                track_ids=(change.stay.track_id,),
                label=change.stay.label,
            )
            for change in self._occupancy.update(tracks)
        ]


def _rows(tracks: Tracks, change: Change) -> list[int]:
    return [int(row) for row in (tracks.track_id == change.stay.track_id).nonzero()[0]]


def _happened(kind: str, rule: str, zone: str, tracks: Tracks, change: Change) -> Observation:
    rows = _rows(tracks, change)
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
