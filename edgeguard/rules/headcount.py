"""How many of each class a camera sees, in the picture and in its zones, and how many of them move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from edgeguard.types import Counts, Polygon, Tracks

_MOVED_SIZES = 0.25
"""How far, in sizes of its box, a thing must come from where it stood to have moved."""


@dataclass(slots=True)
class _Sighting:
    """One track: its newest row, and where it has stood since when."""

    label: str
    zones: tuple[str, ...]
    place: NDArray[np.float64]
    """(4,) corners in pixels."""
    since_ns: int
    seen_ns: int


class Headcount:
    """Counts the confirmed tracks of one camera from frame to frame; all its times come from the tracks.

    A track counts until it was not seen for `linger_s`, so that one missed frame does not flicker. It moves
    until its box has stayed near one place for `still_s`; what has just come counts as moving. A thing is in
    a zone when its anchor (bottom centre) is.
    """

    def __init__(
        self, source: str, zones: Mapping[str, Polygon], *, still_s: float = 10.0, linger_s: float = 1.0
    ) -> None:
        self._source = source
        self._zones = {name: shapely.Polygon(polygon) for name, polygon in zones.items()}
        for polygon in self._zones.values():
            shapely.prepare(polygon)
        self._still_ns = round(still_s * 1e9)
        self._linger_ns = round(linger_s * 1e9)
        self._sightings: dict[int, _Sighting] = {}

    def update(self, tracks: Tracks) -> Counts:
        """Take the next frame, also when it shows nothing; the counts of now."""
        now_ns = tracks.pts_ns
        if len(tracks):
            self._see(tracks)
        self._sightings = {
            track_id: one
            for track_id, one in self._sightings.items()
            if 0 <= now_ns - one.seen_ns <= self._linger_ns
        }
        here = self._sightings.values()
        return Counts(
            self._source,
            seen=_tally(one.label for one in here),
            moving=_tally(one.label for one in here if now_ns - one.since_ns < self._still_ns),
            zones={zone: _tally(one.label for one in here if zone in one.zones) for zone in self._zones},
        )

    def _see(self, tracks: Tracks) -> None:
        anchors = tracks.anchors
        within = {zone: shapely.intersects_xy(polygon, anchors) for zone, polygon in self._zones.items()}
        boxes = tracks.xyxy.astype(np.float64)
        for row, track_id in enumerate(tracks.track_id.tolist()):
            zones = tuple(zone for zone, inside in within.items() if inside[row])
            one = self._sightings.get(track_id)
            if one is None or _has_moved(one.place, boxes[row]):
                self._sightings[track_id] = _Sighting(
                    tracks.label(row), zones, boxes[row], tracks.pts_ns, tracks.pts_ns
                )
            else:
                one.zones, one.seen_ns = zones, tracks.pts_ns


def _has_moved(before: NDArray[np.float64], now: NDArray[np.float64]) -> bool:
    """Whether any edge of the box went farther than jitter does, measured against the larger box."""
    size = max(before[2] - before[0], before[3] - before[1], now[2] - now[0], now[3] - now[1])
    return bool(np.abs(now - before).max() > _MOVED_SIZES * size)


def _tally(labels: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(labels).items()))
