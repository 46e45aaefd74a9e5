"""How many of what a camera sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counts:
    """What one camera sees now: confirmed tracks by class; a class of which there is none is left out."""

    source: str
    seen: Mapping[str, int] = field(default_factory=dict)
    moving: Mapping[str, int] = field(default_factory=dict)
    """Those of them that move."""
    zones: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By zone and class; every zone of the camera is there."""
