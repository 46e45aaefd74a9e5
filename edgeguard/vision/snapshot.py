"""The picture of an alert: masked first, then annotated, then encoded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Frame, Line, Polygon, Tracks
from edgeguard.vision.colour import bgr

_ZONE = (255, 191, 0)
_OTHER = (170, 170, 170)
_CAUSE = (0, 0, 255)
_INK = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Overlay:
    """What belongs to one camera's picture, in relative coordinates."""

    masks: Sequence[Polygon] = ()
    """Privacy masks: filled black before anything is stored."""
    zones: Mapping[str, Polygon] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)


def snapshot(
    frame: Frame,
    tracks: Tracks,
    overlay: Overlay,
    *,
    zone: str | None,
    causes: Collection[int],
    caption: str,
    max_width_px: int = 1280,
    quality: int = 85,
) -> bytes:
    """A JPEG of `frame` with its tracks, the zone or line concerned and a caption below.

    `causes` are the track ids behind the alert. What lies under a mask is gone before anything is drawn.
    """
    picture = bgr(frame, max_width_px)
    mask(picture, overlay.masks)
    _draw_place(picture, overlay, zone)
    _draw_tracks(picture, tracks, causes)
    ok, data = cv2.imencode(".jpg", _captioned(picture, caption), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError("the snapshot could not be encoded as JPEG")
    return bytes(data)


def _pixels(picture: NDArray[np.uint8], points: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
    height, width = picture.shape[:2]
    return np.round(np.asarray(points) * (width, height)).astype(np.int32)


def mask(picture: NDArray[np.uint8], masks: Sequence[Polygon]) -> None:
    """Fill what lies under the privacy masks, in relative coordinates, with black."""
    for outline in masks:
        cv2.fillPoly(picture, [_pixels(picture, outline)], (0, 0, 0))


def _draw_place(picture: NDArray[np.uint8], overlay: Overlay, zone: str | None) -> None:
    if zone is None:
        return
    if zone in overlay.zones:
        cv2.polylines(picture, [_pixels(picture, overlay.zones[zone])], True, _ZONE, 2, cv2.LINE_AA)
    elif zone in overlay.lines:
        line = overlay.lines[zone]
        start, end = _pixels(picture, (line.start, line.end)).tolist()
        cv2.arrowedLine(picture, start, end, _ZONE, 2, cv2.LINE_AA, tipLength=0.03)


def _draw_tracks(picture: NDArray[np.uint8], tracks: Tracks, causes: Collection[int]) -> None:
    boxes = np.round(tracks.xyxy * (picture.shape[1] / tracks.width)).astype(int).tolist()
    for row, (left, top, right, bottom) in enumerate(boxes):
        track_id = int(tracks.track_id[row])
        colour = _CAUSE if track_id in causes else _OTHER
        cv2.rectangle(picture, (left, top), (right, bottom), colour, 2, cv2.LINE_AA)
        text = f"{tracks.label(row)} {track_id} {tracks.confidence[row]:.2f}"
        _write(picture, text, (left, max(top, 14)), colour)


def _write(picture: NDArray[np.uint8], text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
    left, bottom = at
    cv2.rectangle(picture, (left, bottom - height - 6), (left + width + 6, bottom), colour, -1)
    cv2.putText(picture, text, (left + 3, bottom - 4), _FONT, 0.45, _INK, 1, cv2.LINE_AA)


def _captioned(picture: NDArray[np.uint8], caption: str) -> NDArray[np.uint8]:
    """The picture with a dark strip below it: the evidence itself stays uncovered."""
    plain = caption.encode("ascii", "replace").decode()
    strip = np.full((26, picture.shape[1], 3), 32, np.uint8)
    cv2.putText(strip, plain, (8, 18), _FONT, 0.48, _INK, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])
