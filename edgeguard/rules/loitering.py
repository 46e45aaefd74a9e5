"""Somebody stays in a zone for too long."""

from __future__ import annotations

from edgeguard.rules.occupancy import Occupancy, Stay, observe_stay
from edgeguard.types import Measure, Observation, Phase, Polygon, Tracks

_EVERY_NS = 1_000_000_000


class Loitering:
    """A track has been in the zone for `dwell_s`; it continues until the track leaves or is lost."""

    kind = "loitering"

    def __init__(
        self,
        name: str,
        zone: str,
        polygon: Polygon,
        dwell_s: float,
        labels: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self._zone = zone
        self._dwell_s = dwell_s
        self._occupancy = Occupancy(polygon, labels)
        self._told_ns: dict[int, int] = {}
        """When each loitering stay was last told, by the track id with which it began."""

    def update(self, tracks: Tracks) -> list[Observation]:
        changes = self._occupancy.update(tracks)
        ended = [
            self._say(tracks, change.stay, Phase.ENDED)
            for change in changes
            if not change.entered and self._told_ns.pop(change.stay.first_id, None) is not None
        ]
        return ended + [
            self._say(tracks, stay, phase)
            for stay in self._occupancy.inside
            if stay.seen_ns == tracks.pts_ns and (phase := self._phase(stay, tracks.pts_ns)) is not None
        ]

    def _phase(self, stay: Stay, now_ns: int) -> Phase | None:
        if now_ns - stay.since_ns < self._dwell_s * 1e9:
            return None
        told_ns = self._told_ns.get(stay.first_id)
        if told_ns is not None and now_ns - told_ns < _EVERY_NS:
            return None
        self._told_ns[stay.first_id] = now_ns
        return Phase.BEGAN if told_ns is None else Phase.CONTINUES

    def _say(self, tracks: Tracks, stay: Stay, phase: Phase) -> Observation:
        until_ns = stay.seen_ns if phase is Phase.ENDED else tracks.pts_ns
        dwell_s = round((until_ns - stay.since_ns) / 1e9, 1)
        measures = (Measure("dwell_s", dwell_s, ">=", self._dwell_s),)
        return observe_stay(
            self.kind, tracks, stay, rule=self.name, zone=self._zone, phase=phase, measures=measures
        )
