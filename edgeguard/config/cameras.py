"""Eyes."""

from __future__ import annotations

from pydantic import Field

from edgeguard.config.detector import Detector
from edgeguard.config.geometry import Line, Outline, Zone
from edgeguard.config.sanity import Sanity
from edgeguard.config.section import Many, Named, no_entries
from edgeguard.config.source import Source
from edgeguard.config.url import CameraUrl


class Camera(Source):
    """One camera, with the places in its picture."""

    url: CameraUrl = Field(examples=["rtsp://192.0.2.10:554/stream1"])
    """Where the pictures come from: rtsp:// or rtsps:// (network camera), v4l2:///dev/video0 (USB), file://
    (a clip, relative to this file), scene:// (drawn). Rather use `username` and `password_file` than
    user:password@ here; it is masked wherever it is shown."""
    analyse_fps: float = Field(default=5, gt=0, le=60)
    """Pictures per second that are analysed."""
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
