"""What follows things from picture to picture."""

from __future__ import annotations

from pydantic import Field

from edgeguard.config.section import Section, Share


class Tracker(Section):
    """Thresholds of the tracker, for all cameras. A track begins at the detector's `confidence`."""

    low_confidence: Share = 0.1
    """Least confidence (0 to 1) with which a detection may carry on a track."""
    sure_confidence: Share = 0.8
    """Confidence (0 to 1) from which rules hear of a track at its first detection."""
    confirm_frames: int = Field(default=2, ge=1, le=30)
    """Analysed pictures in a row in which any other must be detected before rules hear of it."""
    lost_s: float = Field(default=2.0, gt=0, le=60)
    """Seconds for which a track that is not seen is remembered."""
