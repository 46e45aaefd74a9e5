"""Follows things from frame to frame: ByteTrack (Zhang et al., 2022) on arrays of all tracks at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Detections, Frame, Showing, Tracks
from edgeguard.vision.association import assign, likeness
from edgeguard.vision.kalman import BoxFilters

_BOOK = np.dtype(
    [
        ("track_id", "i8"),
        ("class_id", "i4"),
        ("confidence", "f4"),
        ("hits", "i8"),  # a track is tentative below `confirm_hits`
        ("matched", "?"),  # in the newest frame; a confirmed track that is not is lost
        ("unseen_s", "f8"),  # since its last detection
    ]
)

_HIGH_FLOOR = 0.2
"""Least likeness x confidence of a track and a detection of high confidence."""
_LOW_FLOOR = 0.3
"""Least likeness of a confirmed track and a detection of low confidence."""
_HIGH_BELOW_BEGIN = 0.1
"""How much less confidence counts as high than it takes to begin a track, as in ByteTrack."""
_MARGIN_SIGMAS = 2.0
"""How far boxes are grown for comparing, in standard deviations of the predicted position..."""
_MARGIN_SIZES = 0.3
"""... and at most, in sizes of the box."""
_RARELY = 2.0
"""How many times as long as one of the last waits for a picture another one may be."""


class Tracker:
    """The tracks of one source.

    Every track takes part in the first association, with the detections of high confidence; confirmed
    tracks that found none may take one of low confidence, so that a half hidden thing keeps its id. What
    fits no track begins a tentative one from `begin_confidence` on. That is confirmed when it is detected
    `confirm_hits` frames in a row, or at once from `sure_confidence` on, and is dropped when it misses a
    frame. A confirmed track that is not detected is lost: it moves on unseen, and ends after
    `lost_s`. A track keeps to its class. `ids` gives the track ids, so that they go on where a tracker that
    this one replaces stopped.
    """

    def __init__(
        self,
        source: str,
        labels: tuple[str, ...],
        ids: Iterator[int] | None = None,
        *,
        begin_confidence: float = 0.6,
        low_confidence: float = 0.1,
        sure_confidence: float = 0.8,
        confirm_hits: int = 2,
        lost_s: float = 2.0,
    ) -> None:
        self._source = source
        self._labels = labels
        self._high = begin_confidence - _HIGH_BELOW_BEGIN
        self._low = low_confidence
        self._begin_from = begin_confidence
        self._sure = sure_confidence
        self._confirm_hits = confirm_hits
        self._lost_s = lost_s
        self._filters = BoxFilters()
        self._book = np.zeros(0, _BOOK)
        self._ids = itertools.count(1) if ids is None else ids
        self._pts_ns: int | None = None
        self._wait_s = 0.0
        """For how long there was no picture lately."""

    def update(self, detections: Detections, frame: Frame) -> Tracks:
        """Confirmed tracks detected in `frame`, their boxes smoothed and within the frame.

        Frames may come at any interval, but in order; one from the past counts as simultaneous.
        """
        self._advance(frame.pts_ns, frame.showing is Showing.GLANCE)
        corners = np.ascontiguousarray(detections.xyxy.T, np.float64)
        tracks, matches = self._associate(detections, corners)
        self._correct(tracks, detections, matches, corners)
        self._begin(detections, matches, corners)
        return self._visible(frame)

    def _advance(self, pts_ns: int, glance: bool) -> None:
        """End tracks, and move the others on to the time of the frame.

        Glances, and pictures where there are few, may be further apart than `lost_s`: what the last showed
        is looked for in any case. It is not where a camera that gives many was away.
        """
        dt_s = 0.0 if self._pts_ns is None else max(pts_ns - self._pts_ns, 0) / 1e9
        self._pts_ns = pts_ns
        usual = dt_s <= _RARELY * self._wait_s
        self._wait_s = max(dt_s, self._wait_s / 2)
        unseen_s = self._book["unseen_s"]
        unseen_s += dt_s
        recent = unseen_s <= self._lost_s
        if glance or usual:
            recent |= self._book["matched"]
        keep = (self._book["matched"] | self._confirmed()) & recent
        if not keep.all():
            self._book = self._book[keep]
            self._filters.keep(keep)
        self._book["matched"] = False
        self._filters.predict(dt_s)

    def _associate(
        self, detections: Detections, corners: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of tracks, and of the detections that they take."""
        confidence = detections.confidence
        margin = self._filters.margin(_MARGIN_SIGMAS, _MARGIN_SIZES)
        alike = likeness(self._filters.corners, margin, corners)
        alike *= self._book["class_id"][:, None] == detections.class_id
        high = np.flatnonzero(confidence >= self._high)
        tracks, matches = assign(alike[:, high] * confidence[high], _HIGH_FLOOR)
        matches = high[matches]
        if len(high) == len(confidence):
            return tracks, matches
        waiting, low = self._left_over(tracks, confidence)
        rest, late = assign(alike[waiting[:, None], low], _LOW_FLOOR)
        return np.concatenate((tracks, waiting[rest])), np.concatenate((matches, low[late]))

    def _left_over(
        self, tracks: NDArray[np.intp], confidence: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """For the second association: confirmed tracks but `tracks`, and detections of low confidence."""
        waiting = self._confirmed()
        waiting[tracks] = False
        low = (confidence >= self._low) & (confidence < self._high)
        return np.flatnonzero(waiting), np.flatnonzero(low)

    def _correct(
        self,
        tracks: NDArray[np.intp],
        detections: Detections,
        matches: NDArray[np.intp],
        corners: NDArray[np.float64],
    ) -> None:
        self._filters.correct(tracks, corners[:, matches])
        book = self._book
        book["confidence"][tracks] = detections.confidence[matches]
        book["hits"][tracks] += 1
        book["matched"][tracks] = True
        book["unseen_s"][tracks] = 0

    def _begin(self, detections: Detections, matches: NDArray[np.intp], corners: NDArray[np.float64]) -> None:
        """Begin a track with every confident detection that none took."""
        free = detections.confidence >= self._begin_from
        free[matches] = False
        if not free.any():
            return
        free &= np.isfinite(corners).all(axis=0)
        self._filters.add(corners[:, free])
        book = np.zeros(np.count_nonzero(free), _BOOK)
        book["track_id"] = list(itertools.islice(self._ids, len(book)))
        book["class_id"] = detections.class_id[free]
        book["confidence"] = detections.confidence[free]
        book["hits"] = np.where(book["confidence"] >= self._sure, self._confirm_hits, 1)
        book["matched"] = True
        self._book = np.concatenate((self._book, book))

    def _confirmed(self) -> NDArray[np.bool_]:
        return self._book["hits"] >= self._confirm_hits

    def _visible(self, frame: Frame) -> Tracks:
        shown = self._book["matched"] & self._confirmed()
        book = self._book[shown]
        corners = self._filters.corners[:, shown]
        limit = np.array((frame.width, frame.height, frame.width, frame.height))
        xyxy = np.minimum(np.maximum(corners.T, 0), limit).astype(np.float32, order="C")
        return Tracks(
            source=self._source,
            sequence=frame.sequence,
            pts_ns=frame.pts_ns,
            utc_ns=frame.utc_ns,
            width=frame.width,
            height=frame.height,
            xyxy=xyxy,
            confidence=book["confidence"],
            class_id=book["class_id"],
            track_id=book["track_id"],
            labels=self._labels,
        )
