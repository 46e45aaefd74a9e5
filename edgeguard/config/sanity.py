"""Whether somebody has tampered with a camera."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeguard.config.section import Distinct, Section

Tampering = Literal["covered", "defocused", "moved", "frozen", "too_dark", "ir_flip"]


class Sanity(Section):
    """How a camera's picture is watched for tampering."""

    enabled: bool = True
    """Whether it is watched at all."""
    sensitivity: Literal["low", "normal", "high"] = "normal"
    """How little of a change is called tampering; `low` where the view itself changes much."""
    hold_s: float = Field(default=5.0, ge=1, le=3600)
    """Seconds for which it must last."""
    ignore: Distinct[Tampering] = ()
    """What is not looked for here: covered, defocused, moved (for a camera that turns), frozen, too_dark (for
    one without light at night) or ir_flip (for one that switches between day and night)."""
