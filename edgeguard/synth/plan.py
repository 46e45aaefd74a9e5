"""What a scene is made of: one value per scene, written down in `scenes/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edgeguard.synth.actors import Actor
from edgeguard.synth.easel import Easel
from edgeguard.synth.solids import Light
from edgeguard.synth.sound import Voice
from edgeguard.synth.view import View
from edgeguard.types import Line, Polygon

DURATION_S = 48
"""Every scene lasts as long, so that scenes started together stay together."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A sound at a time."""

    t_s: float
    voice: Voice
    level: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A scene before it has a seed and a size."""

    title: str
    view: View
    light: Light
    backdrop: Callable[[Easel], None]
    """Paints all that stands still."""
    actors: tuple[Actor, ...]
    zones: Mapping[str, Polygon] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)
    cues: tuple[Cue, ...] = ()
    tone_db: float = -58.0
    """Steady noise of the place, dB below full scale."""
