"""Who is in a zone: the part that all zone rules share.

A track counts as in the zone when its bottom centre lies in the polygon on `settle_frames` frames in a row,
and as out likewise, so that a box that trembles on the border does not come and go. A track that is not seen
for `forget_s` is gone. A new track that appears in the zone close to where one of the same class was lost a
moment ago takes over its stay: the tracker gave one person two ids. If both are seen later, they were two: it
goes back, and the other one begins its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from edgeguard.rules.rule import observe, rows_of
from edgeguard.types import Measure, Observation, Phase, Polygon, Tracks

_SAME_PLACE_BOXES = 0.75
"""How far, in box heights, a lost track's heir may appear from it."""


@dataclass(slots=True)
class Stay:
    """One track's time in or near the zone."""

    track_id: int
    first_id: int
    """The track id with which the stay began; names the stay when it passed from id to id."""
    label: str
    anchor: NDArray[np.float64]
    height: float
    """Of the box, relative to the frame."""
    seen_ns: int
    inside: bool = False
    since_ns: int = 0
    """When it came in."""
    contrary: int = 0
    """Frames in a row that contradict `inside`."""


@dataclass(frozen=True, slots=True)
class Change:
    """A track came in or went out; `seen` is False if it was lost rather than seen outside."""

    stay: Stay
    entered: bool
    seen: bool = True


class Occupancy:
    """The tracks in one zone, from frame to frame."""

    def __init__(
        self,
        polygon: Polygon,
        labels: frozenset[str] | None,
        *,
        settle_frames: int = 2,
        forget_s: float = 3.0,
    ) -> None:
        self._polygon = shapely.Polygon(polygon)
        shapely.prepare(self._polygon)
        self._labels = labels
        self._settle_frames = settle_frames
        self._forget_ns = round(forget_s * 1e9)
        self._stays: dict[int, Stay] = {}

    @property
    def inside(self) -> list[Stay]:
        """Who is in the zone now, in order of track id."""
        return [stay for _, stay in sorted(self._stays.items()) if stay.inside]

    def update(self, tracks: Tracks) -> list[Change]:
        """Take the next frame; returns who came and who went."""
        anchors = tracks.anchors
        within = shapely.intersects_xy(self._polygon, anchors)  # feet on the picture's edge are in it
        changes = [
            change
            for row in rows_of(tracks, self._labels)
            if (change := self._see(tracks, row, anchors[row], bool(within[row])))
        ]
        return changes + self._forget(tracks.pts_ns)

    def _see(self, tracks: Tracks, row: int, anchor: NDArray[np.float64], within: bool) -> Change | None:
        stay = self._stay(tracks, row, anchor, within)
        stay.anchor, stay.seen_ns = anchor, tracks.pts_ns
        if within == stay.inside:
            stay.contrary = 0
            return None
        stay.contrary += 1
        if stay.contrary < self._settle_frames:
            return None
        stay.inside, stay.contrary = within, 0
        if within:
            stay.since_ns = tracks.pts_ns
        return Change(stay, entered=within)

    def _stay(self, tracks: Tracks, row: int, anchor: NDArray[np.float64], within: bool) -> Stay:
        track_id = int(tracks.track_id[row])
        if track_id not in self._stays:
            height = float(tracks.xyxy[row, 3] - tracks.xyxy[row, 1]) / tracks.height
            new = Stay(track_id, track_id, tracks.label(row), anchor, height, tracks.pts_ns)
            self._stays[track_id] = self._inherit(new, tracks) if within else new
        return self._stays[track_id]

    def _inherit(self, new: Stay, tracks: Tracks) -> Stay:
        """`new`, with the stay of a track that was lost, or that an heir has meanwhile."""
        visible = set(tracks.track_id.tolist())
        for old in self.inside:
            if old.track_id in visible:
                if old.first_id == new.track_id:
                    _take_over(new, old)
                    old.first_id, old.inside, old.contrary = old.track_id, False, 0
                    return new
            elif old.label == new.label and _near(old, new) and not self._is_gone(old, tracks.pts_ns):
                del self._stays[old.track_id]
                _take_over(new, old)
                return new
        return new

    def _is_gone(self, stay: Stay, now_ns: int) -> bool:
        return now_ns - stay.seen_ns > self._forget_ns

    def _forget(self, now_ns: int) -> list[Change]:
        gone = [stay for stay in self._stays.values() if self._is_gone(stay, now_ns)]
        for stay in gone:
            del self._stays[stay.track_id]
        return [Change(stay, entered=False, seen=False) for stay in gone if stay.inside]


def _near(old: Stay, new: Stay) -> bool:
    return float(np.abs(old.anchor - new.anchor).max()) < _SAME_PLACE_BOXES * new.height


def _take_over(new: Stay, old: Stay) -> None:
    new.inside, new.since_ns, new.first_id = True, old.since_ns, old.first_id


def rows_of_stay(tracks: Tracks, stay: Stay) -> list[int]:
    """Where in `tracks` it is; none where it is not seen."""
    return [int(row) for row in (tracks.track_id == stay.track_id).nonzero()[0]]


def observe_stay(
    kind: str,
    tracks: Tracks,
    stay: Stay,
    *,
    rule: str | None,
    zone: str,
    phase: Phase,
    measures: tuple[Measure, ...] = (),
) -> Observation:
    """An observation about one stay from its beginning to its end, also where it is not seen any more."""
    return observe(
        kind,
        tracks,
        rule=rule,
        key=str(stay.first_id),
        zone=zone,
        phase=phase,
        rows=rows_of_stay(tracks, stay),
        track_ids=(stay.track_id,),
        label=stay.label,
        measures=measures,
    )
