"""Eyes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from edgeguard.config.detector import Detector
from edgeguard.config.geometry import Line, Outline, Zone
from edgeguard.config.sanity import Sanity
from edgeguard.config.section import Many, Named, no_entries
from edgeguard.config.source import Source
from edgeguard.config.url import CameraUrl


def _off(value: Any) -> Any:
    """YAML 1.1 takes the bare word `off` for false."""
    return "off" if value is False else value


class Camera(Source):
    """One camera, with the places in its picture."""

    url: CameraUrl = Field(examples=["rtsp://192.0.2.10:554/stream1"])
    """Where the pictures come from: rtsp:// or rtsps:// (network camera), v4l2:///dev/video0 (USB), csi://0
    (a Jetson's camera port), file:// (a clip, relative to this file), scene:// (drawn). Rather use `username`
    and `password_file` than user:password@ here; it is masked wherever it is shown."""
    analyse_fps: float = Field(default=5, gt=0, le=60)
    """Pictures per second that are analysed."""
    priority: Literal["low", "normal", "high"] = "normal"
    """Which cameras are analysed less often, down to `min_analyse_fps`, when there is more to look at than
    the machine can: first those with `low`, last those with `high`. Health counts each picture left out."""
    min_analyse_fps: float = Field(default=2, gt=0, le=60)
    """Pictures per second below which an overloaded machine does not go for this camera."""
    gate: Annotated[Literal["off", "auto", "keyframes"], BeforeValidator(_off)] = "off"
    """Which pictures are decoded. `off`: all. `auto`: keyframes only while nothing moves and nothing new is
    seen, and then everything from the last keyframe on; not where a rule needs every picture (line_crossed).
    `keyframes`: nothing else, ever."""
    preroll_s: float = Field(default=10, gt=0, le=300)
    """Seconds that are kept as the camera encoded them, from a keyframe on."""
    preroll_bytes: int = Field(default=32_000_000, ge=100_000, le=1_000_000_000)
    """Bytes that these may take in memory; fewer seconds are kept where they would take more."""
    masks: Many[Outline] = Field(default=(), examples=[[[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]]])
    """Privacy masks: list of polygons, each at least three corners [x, y] (0..1). What lies under one is
    black before anything is stored."""
    zones: Named[Zone] = Field(
        default_factory=no_entries,
        examples=[{"dock": {"polygon": [[0.1, 0.5], [0.9, 0.5], [0.9, 0.95], [0.1, 0.95]]}}],
    )
    """Zones by name. A thing is in a zone when the middle of its lower edge is."""
    lines: Named[Line] = Field(
        default_factory=no_entries, examples=[{"entrance": {"start": [0.1, 0.6], "end": [0.9, 0.6]}}]
    )
    """Lines by name."""
    sanity: Sanity = Sanity()
    """How its picture is watched for tampering."""
    detector: Detector = Detector()
    """This camera's own detector settings; what is not said here is as in the general `detector`."""
