"""A camera: opened for real, and what it shows kept as a picture where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeguard.capture import FrameSource
from edgeguard.clock import Clock
from edgeguard.errors import EdgeGuardError, EndOfStreamError, SourceError
from edgeguard.files import write_private
from edgeguard.runtime.doctor.finding import Finding, fine, warning
from edgeguard.runtime.doctor.sources import Place, as_the_guard_sees, opened, refused
from edgeguard.types import Frame, Polygon, Tracks
from edgeguard.vision.colour import bgr
from edgeguard.vision.snapshot import Overlay, snapshot

WATCH_S = 2.0
"""How long it is watched once a picture came, to tell its rate."""
_STEP_S = 0.5
_DARK, _FLAT = 8.0, 3.0
"""Mean and spread of a picture (0..255) at which there is nothing to see."""


def camera(
    place: Place,
    source: FrameSource,
    clock: Clock,
    fps: float,
    patience_s: float,
    masks: Sequence[Polygon],
    picture: Path | None,
) -> Finding:
    """Read it for a moment; `picture` is where its last frame goes, masked as evidence is."""
    if place.held:
        return as_the_guard_sees(place)
    begun_ns = clock.monotonic_ns()
    try:
        with opened(source):
            seen = _watch(source, clock, patience_s)
    except EdgeGuardError as error:
        return refused(place, error)
    figures: dict[str, object] = {
        "width": seen.last.width,
        "height": seen.last.height,
        "first_frame_s": round((seen.first_ns - begun_ns) / 1e9, 2),
        "frames_per_s": round(seen.rate, 1),
    }
    if picture is not None:
        try:
            _save(seen.last, masks, picture, f"{place.name}, as the doctor saw it")
        except OSError as error:
            return warning(
                place.check,
                f"it is seen, but its picture cannot be kept: {picture}: {error.strerror}",
                "the folder is closed to this user, is none, or its disk is full",
                "name another folder in --snapshots",
                place.name,
                figures=figures,
            )
        figures["snapshot"] = str(picture)
    return _judged(place, seen, fps, figures)


@dataclass(slots=True)
class _Seen:
    """What came; of the frames the last alone, as a decoder has few buffers to lend."""

    last: Frame
    first_ns: int
    """When the first came (monotonic)."""
    first_pts_ns: int
    count: int = 1

    def add(self, frame: Frame) -> None:
        self.last = frame
        self.count += 1

    @property
    def rate(self) -> float:
        span_ns = self.last.pts_ns - self.first_pts_ns
        return (self.count - 1) / (span_ns / 1e9) if span_ns > 0 else 0.0


def _watch(source: FrameSource, clock: Clock, patience_s: float) -> _Seen:
    """`WATCH_S` from the first frame on, or until its end. SourceError if none comes."""
    begun_ns = clock.monotonic_ns()
    seen: _Seen | None = None
    while True:
        try:
            frame = source.read(_STEP_S)
        except EndOfStreamError:
            if seen is None:
                raise
            return seen
        now_ns = clock.monotonic_ns()
        if frame is not None and seen is None:
            seen = _Seen(frame, now_ns, frame.pts_ns)
        elif frame is not None and seen is not None:
            seen.add(frame)
        if seen is not None and (now_ns - seen.first_ns) / 1e9 >= WATCH_S:
            return seen
        if seen is None and (now_ns - begun_ns) / 1e9 > patience_s:
            raise SourceError(f"no picture within {patience_s:g} s", "connecting")


def _judged(place: Place, seen: _Seen, fps: float, figures: dict[str, object]) -> Finding:
    pixels = bgr(seen.last, 320).astype(np.float32)
    mean, spread = float(pixels.mean()), float(pixels.std())
    figures |= {"brightness": round(mean, 1), "contrast": round(spread, 1)}
    if mean < _DARK or spread < _FLAT:
        return warning(
            place.check,
            f"nothing is to be seen in its pictures (brightness {mean:.0f}, contrast {spread:.0f})",
            "it is covered, it is dark and its infrared light is off, or its lens is closed",
            "look at the snapshot (`--snapshots DIR`) and at the camera itself",
            place.name,
            figures=figures,
        )
    said = f"{figures['width']}x{figures['height']}, {figures['frames_per_s']} frames a second"
    if seen.count > 2 and seen.rate < 0.6 * fps:
        return warning(
            place.check,
            f"{said}, and {fps:g} are to be analysed",
            "it sends fewer than are asked of it, or this box is too busy to decode them",
            "raise the frame rate in its settings, or lower `analyse_fps`",
            place.name,
            figures=figures,
        )
    return fine(place.check, said, place.name, figures=figures)


def _save(frame: Frame, masks: Sequence[Polygon], path: Path, caption: str) -> None:
    """Raises OSError; nobody but the owner may look."""
    nothing = Tracks(
        frame.source,
        frame.sequence,
        frame.pts_ns,
        frame.utc_ns,
        frame.width,
        frame.height,
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.float32),
        np.zeros(0, np.int32),
        np.zeros(0, np.int64),
        (),
    )
    data = snapshot(frame, nothing, Overlay(masks), zone=None, causes=(), caption=caption)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, data)
