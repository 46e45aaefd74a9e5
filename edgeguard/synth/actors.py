"""Who plays: a body and its walk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from edgeguard.synth import figure, solids, vehicle
from edgeguard.synth.figure import Look
from edgeguard.synth.solids import Box, Colour, Light, Limb, Sprite, Stand
from edgeguard.synth.walk import Step, Walk

GAIT_M = 1.4
"""Way of one gait cycle, two paces."""
FULL_STRIDE_SPEED = 1.2
"""m/s from which the legs swing fully."""


class Body(Protocol):
    """Something that can be drawn where a step has led it."""

    @property
    def label(self) -> str:
        """Its COCO class."""

    def bounds(self, step: Step, stand: Stand) -> Box:
        """The smallest box around what `render` draws."""

    def render(self, step: Step, stand: Stand, light: Light) -> Sprite: ...


@dataclass(frozen=True, slots=True)
class Person:
    look: Look
    label: str = "person"

    def bounds(self, step: Step, stand: Stand) -> Box:
        return solids.bounds(self._limbs(step), stand)

    def render(self, step: Step, stand: Stand, light: Light) -> Sprite:
        return solids.render(self._limbs(step), stand, light)

    def _limbs(self, step: Step) -> list[Limb]:
        phase = 2 * math.pi * step.distance_m / GAIT_M
        stride = min(step.speed / FULL_STRIDE_SPEED, 1.0)
        return figure.limbs(self.look, figure.Pose(step.heading, phase, stride))


@dataclass(frozen=True, slots=True)
class Vehicle:
    shape: vehicle.Shape
    paint: Colour
    label: str = "car"

    def bounds(self, step: Step, stand: Stand) -> Box:
        return vehicle.bounds(self._faces(step), stand)

    def render(self, step: Step, stand: Stand, light: Light) -> Sprite:
        return vehicle.render(self._faces(step), stand, light)

    def _faces(self, step: Step) -> list[vehicle.Face]:
        return vehicle.faces(self.shape, self.paint, step.heading)


@dataclass(frozen=True, slots=True)
class Actor:
    body: Body
    walk: Walk
