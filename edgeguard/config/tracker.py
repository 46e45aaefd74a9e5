"""What follows things from picture to picture."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.section import Section, Share


class Tracker(Section):
    """Thresholds of the tracker, for all cameras."""

    low_confidence: Share = 0.1
    """Least confidence (0 to 1) with which a detection may carry on a track."""
    high_confidence: Share = Field(default=0.5, validate_default=True)
    """Confidence (0 to 1) from which a detection may begin a track; weaker ones only carry one on."""
    confirm_frames: int = Field(default=2, ge=1, le=30)
    """Analysed pictures in which a track must be seen before any rule hears of it."""
    lost_s: float = Field(default=2.0, gt=0, le=60)
    """Seconds for which a track that is not seen is remembered."""

    @field_validator("high_confidence")
    @classmethod
    def _not_below(cls, value: float, info: ValidationInfo) -> float:
        low = info.data.get("low_confidence", 0.0)
        if value < low:
            raise ValueError(f"expected at least low_confidence, {low}")
        return value
