"""A person is down: somebody lies in a zone, as far as the shape of a box can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeguard.rules.occupancy import Occupancy, Stay, observe_stay
from edgeguard.types import Measure, Observation, Phase, Polygon, Tracks

_EVERY_NS = 1_000_000_000
_GRACE_NS = 1_000_000_000
"""For how long a box may look otherwise before who lay there is up again."""
_EDGE = 0.01
"""How near to the picture's edge, relative to the picture, a box is taken for cut off by it."""


@dataclass(slots=True)
class _Fall:
    """One stay's time on the ground."""

    since_ns: int
    seen_ns: int
    """When its box was last that wide..."""
    ratio: float
    """... and how wide it was then."""
    contrary_ns: int | None = None
    """Since when its box looks otherwise."""
    told_ns: int | None = None


class PersonDown:
    """A track's box has been at least `ratio` times as wide as tall in the zone for `for_s`.

    It continues until the box has been narrower for a second, or the track leaves or is lost. A box that the
    picture's edge cuts off says nothing of the whole person's shape and counts as narrower.
    """

    kind = "person_down"

    def __init__(
        self,
        name: str,
        zone: str,
        polygon: Polygon,
        ratio: float = 1.2,
        for_s: float = 5.0,
        labels: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self._zone = zone
        self._ratio = ratio
        self._for_s = for_s
        self._occupancy = Occupancy(polygon, labels)
        self._falls: dict[int, _Fall] = {}
        """Whoever is down, by the track id with which the stay began."""

    def update(self, tracks: Tracks) -> list[Observation]:
        changes = self._occupancy.update(tracks)
        over = [self._end(tracks, change.stay) for change in changes if not change.entered]
        ratios = dict(zip(tracks.track_id.tolist(), _ratios(tracks).tolist(), strict=True))
        now = [
            self._look(tracks, stay, ratios[stay.track_id])
            for stay in self._occupancy.inside
            if stay.seen_ns == tracks.pts_ns and stay.track_id in ratios
        ]
        return [said for said in over + now if said is not None]

    def _look(self, tracks: Tracks, stay: Stay, ratio: float) -> Observation | None:
        if ratio < self._ratio:
            return self._rise(tracks, stay)
        now_ns = tracks.pts_ns
        fall = self._falls.setdefault(stay.first_id, _Fall(now_ns, now_ns, ratio))
        fall.seen_ns, fall.ratio, fall.contrary_ns = now_ns, ratio, None
        return self._lie(tracks, stay, fall)

    def _lie(self, tracks: Tracks, stay: Stay, fall: _Fall) -> Observation | None:
        if tracks.pts_ns - fall.since_ns < self._for_s * 1e9:
            return None
        if fall.told_ns is not None and tracks.pts_ns - fall.told_ns < _EVERY_NS:
            return None
        phase = Phase.BEGAN if fall.told_ns is None else Phase.CONTINUES
        fall.told_ns = tracks.pts_ns
        return self._say(tracks, stay, fall, phase)

    def _rise(self, tracks: Tracks, stay: Stay) -> Observation | None:
        fall = self._falls.get(stay.first_id)
        if fall is None:
            return None
        if fall.contrary_ns is None:
            fall.contrary_ns = tracks.pts_ns
        return self._end(tracks, stay) if tracks.pts_ns - fall.contrary_ns >= _GRACE_NS else None

    def _end(self, tracks: Tracks, stay: Stay) -> Observation | None:
        fall = self._falls.pop(stay.first_id, None)
        if fall is None or fall.told_ns is None:
            return None
        return self._say(tracks, stay, fall, Phase.ENDED)

    def _say(self, tracks: Tracks, stay: Stay, fall: _Fall, phase: Phase) -> Observation:
        measures = (
            Measure("for_s", round((fall.seen_ns - fall.since_ns) / 1e9, 1), ">=", self._for_s),
            Measure("ratio", round(fall.ratio, 2), ">=", self._ratio),
        )
        return observe_stay(
            self.kind, tracks, stay, rule=self.name, zone=self._zone, phase=phase, measures=measures
        )


def _ratios(tracks: Tracks) -> NDArray[np.float64]:
    """(n,) width by height of each box; 0 where the picture's edge may have cut it off."""
    left, top, right, bottom = tracks.xyxy.astype(np.float64).T
    x, y = _EDGE * tracks.width, _EDGE * tracks.height
    whole = (left > x) & (top > y) & (right < tracks.width - x) & (bottom < tracks.height - y)
    return np.where(whole, (right - left) / np.maximum(bottom - top, 1.0), 0.0)
