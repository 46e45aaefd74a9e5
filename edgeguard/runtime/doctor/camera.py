"""A camera: opened for real, and what it shows kept as a picture where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeguard.capture import FrameSource
from edgeguard.clock import Clock
from edgeguard.errors import EdgeGuardError, EndOfStreamError, SourceError
from edgeguard.files import write_private
from edgeguard.runtime.doctor.finding import Finding, fine, warning
from edgeguard.runtime.doctor.sources import Place, as_the_guard_sees, refused
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
        source.open()
        frames, first_ns = _read(source, clock, patience_s)
    except EdgeGuardError as error:
        return refused(place, error)
    finally:
        source.close()
    figures: dict[str, object] = {
        "width": frames[-1].width,
        "height": frames[-1].height,
        "first_frame_s": round((first_ns - begun_ns) / 1e9, 2),
        "frames_per_s": round(_rate(frames), 1),
    }
    if picture is not None:
        figures["snapshot"] = str(picture)
        _save(frames[-1], masks, picture, f"{place.name}, as the doctor saw it")
    return _judged(place, frames, fps, figures)


def _read(source: FrameSource, clock: Clock, patience_s: float) -> tuple[list[Frame], int]:
    """The first frame and the last, with those between counted by their times; SourceError without any."""
    frames: list[Frame] = []
    first_ns = clock.monotonic_ns()
    while True:
        try:
            frame = source.read(_STEP_S)
        except EndOfStreamError:
            if frames:
                return frames, first_ns
            raise
        now_ns = clock.monotonic_ns()
        if frame is not None:
            first_ns = first_ns if frames else now_ns
            frames = [*frames[-200:], frame]
        waited_s = (now_ns - first_ns) / 1e9
        if frames and waited_s >= WATCH_S:
            return frames, first_ns
        if not frames and waited_s > patience_s:
            raise SourceError(f"no picture within {patience_s:g} s", "connecting")


def _rate(frames: Sequence[Frame]) -> float:
    span_ns = frames[-1].pts_ns - frames[0].pts_ns
    return (len(frames) - 1) / (span_ns / 1e9) if span_ns > 0 else 0.0


def _judged(place: Place, frames: Sequence[Frame], fps: float, figures: dict[str, object]) -> Finding:
    pixels = bgr(frames[-1], 320).astype(np.float32)
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
    rate, size = figures["frames_per_s"], f"{figures['width']}x{figures['height']}"
    if len(frames) > 2 and _rate(frames) < 0.6 * fps:
        return warning(
            place.check,
            f"{size}, {rate} frames a second, and {fps:g} are to be analysed",
            "it sends fewer than are asked of it, or this box is too busy to decode them",
            "raise the frame rate in its settings, or lower `analyse_fps`",
            place.name,
            figures=figures,
        )
    return fine(place.check, f"{size}, {rate} frames a second", place.name, figures=figures)


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
