"""What is kept to prove an alert."""

from __future__ import annotations

from pydantic import Field

from edgeguard.config.section import DERIVED, Location, Section


class Snapshot(Section):
    """The picture of an alert."""

    max_width_px: int = Field(default=1280, ge=160, le=7680)
    """Width, in pixels, to which wider pictures are scaled down."""
    quality: int = Field(default=85, ge=10, le=100)
    """JPEG quality."""


class Evidence(Section):
    """Pictures of alerts, kept on the device."""

    enabled: bool = True
    """Whether evidence is kept."""
    dir: Location = Field(default=DERIVED)
    """Folder for it. Without it: `evidence` in `state_dir`."""
    snapshot: Snapshot = Snapshot()
    """The picture of an alert."""
    max_bytes: int = Field(default=2_000_000_000, ge=10_000_000)
    """Bytes that all evidence may take; the oldest goes first."""
    reserve_bytes: int = Field(default=64_000_000, ge=1_000_000)
    """Bytes of the disk that evidence leaves free, so that alerts can still be stored when it is full."""
    max_days: float = Field(default=30.0, gt=0, le=3650)
    """Days after which evidence is removed."""
