"""Somebody crossed a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeguard.rules.rule import observe, rows_of
from edgeguard.types import Line, Measure, Observation, Tracks

Direction = Literal["any", "left_to_right", "right_to_left"]

_FORGET_NS = 10_000_000_000
_MARGIN = 0.01
"""How far, relative to the frame, a track must be past the line to be surely on that side."""


@dataclass(slots=True)
class _Passage:
    """Where a track was last surely on one side."""

    anchor: NDArray[np.float64]
    right: bool
    seen_ns: int


class LineCrossed:
    """A track's bottom centre went over the line between two frames on which its side was sure.

    Looking from the line's start to its end, left and right are as a person standing there sees them.
    """

    kind = "line_crossed"

    def __init__(
        self,
        name: str,
        line_name: str,
        line: Line,
        direction: Direction = "any",
        labels: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self._line_name = line_name
        self._start = np.array(line.start, np.float64)
        self._along = np.array(line.end, np.float64) - self._start
        self._length = float(np.hypot(*self._along))
        if self._length == 0:
            raise ValueError(f"line {line_name} has no length: start and end are the same point")
        self._direction = direction
        self._labels = labels
        self._passages: dict[int, _Passage] = {}

    def update(self, tracks: Tracks) -> list[Observation]:
        anchors = tracks.anchors
        crossed = [
            self._crossing(tracks, row, way)
            for row in rows_of(tracks, self._labels)
            if (way := self._move(int(tracks.track_id[row]), anchors[row], tracks.pts_ns))
        ]
        self._forget(tracks.pts_ns)
        return [crossing for crossing in crossed if crossing is not None]

    def _move(self, track_id: int, anchor: NDArray[np.float64], now_ns: int) -> Direction | None:
        """The way in which the track crossed with this step, if it did."""
        distance = self._right_of(anchor)
        before = self._passages.get(track_id)
        if before is not None:
            before.seen_ns = now_ns
        if abs(distance) < _MARGIN:
            return None
        right = distance > 0
        self._passages[track_id] = _Passage(anchor, right, now_ns)
        if before is None or before.right == right or not self._meets(before.anchor, anchor):
            return None
        return "left_to_right" if right else "right_to_left"

    def _right_of(self, point: NDArray[np.float64]) -> float:
        """Signed distance to the endless line: positive on its right (the image's y axis points down)."""
        offset = point - self._start
        return float(self._along[0] * offset[1] - self._along[1] * offset[0]) / self._length

    def _meets(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
        """Whether the step's passage through the endless line lies between the line's ends."""
        near, far = self._right_of(before), self._right_of(after)
        crossing = before + (after - before) * (near / (near - far))
        position = float((crossing - self._start) @ self._along) / self._length**2
        return 0.0 <= position <= 1.0

    def _crossing(self, tracks: Tracks, row: int, way: Direction) -> Observation | None:
        if self._direction not in ("any", way):
            return None
        return observe(
            self.kind,
            tracks,
            rule=self.name,
            key=str(int(tracks.track_id[row])),
            zone=self._line_name,
            rows=[row],
            measures=(Measure("direction", way, "is", self._direction),),
        )

    def _forget(self, now_ns: int) -> None:
        gone = [key for key, passage in self._passages.items() if now_ns - passage.seen_ns > _FORGET_NS]
        for key in gone:
            del self._passages[key]
