"""A walking person as capsules: proportions, gait and clothes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from edgeguard.synth.solids import Colour, Limb, Vector

EYE: Colour = (30, 30, 40)
STANDARD_HEIGHT_M = 1.75
THIGH_M, SHIN_M, FOOT_M = 0.44, 0.42, 0.17
UPPER_ARM_M, FOREARM_M, HAND_M = 0.29, 0.25, 0.08
SOLE_M = 0.047


@dataclass(frozen=True, slots=True)
class Look:
    """Who walks there."""

    shirt: Colour
    trousers: Colour
    skin: Colour = (130, 165, 215)
    hair: Colour = (30, 40, 60)
    shoes: Colour = (40, 36, 34)
    height_m: float = STANDARD_HEIGHT_M


class Pose(NamedTuple):
    """Where in the gait, and which way."""

    heading: float
    """rad: 0 is right in the picture, pi/2 away from the camera."""
    phase: float
    """Of the gait cycle, rad."""
    stride: float
    """0 standing .. 1 walking."""


class _Frame(NamedTuple):
    """Turns and scales the body's own directions into the figure's."""

    cos: float
    sin: float
    size: float

    def at(self, along: float, up: float, left: float) -> Vector:
        x = along * self.cos - left * self.sin
        near = -along * self.sin - left * self.cos
        return x * self.size, up * self.size, near * self.size


class _Leg(NamedTuple):
    """Points (along, up) under the hip."""

    left: float
    knee: tuple[float, float]
    ankle: tuple[float, float]
    toe: tuple[float, float]


def limbs(look: Look, pose: Pose) -> list[Limb]:
    """The whole person, standing on the ground with the lower foot."""
    frame = _Frame(math.cos(pose.heading), math.sin(pose.heading), look.height_m / STANDARD_HEIGHT_M)
    legs = [_leg(0.10, pose.phase, pose.stride), _leg(-0.10, pose.phase + math.pi, pose.stride)]
    hip = SOLE_M - min(min(leg.ankle[1] - 0.03, leg.toe[1]) for leg in legs)
    body = [limb for leg in legs for limb in _leg_limbs(frame, look, leg, hip)]
    body += _trunk(frame, look, hip)
    for left, phase in ((0.185, pose.phase + math.pi), (-0.185, pose.phase)):
        body += _arm(frame, look, left, hip + 0.45, pose.stride * math.sin(phase), pose.stride)
    return body + _head(frame, look, hip + 0.705)


def _leg(left: float, phase: float, stride: float) -> _Leg:
    """The thigh swings like a pendulum; the knee bends while the leg swings forward."""
    thigh = 0.06 + 0.44 * stride * math.sin(phase)
    shin = thigh - 0.05 - 0.85 * stride * max(0.0, math.cos(phase + 0.4)) ** 2
    knee = (THIGH_M * math.sin(thigh), -THIGH_M * math.cos(thigh))
    ankle = (knee[0] + SHIN_M * math.sin(shin), knee[1] - SHIN_M * math.cos(shin))
    toe = (ankle[0] + FOOT_M * math.cos(shin), ankle[1] + FOOT_M * math.sin(shin) - 0.035)
    return _Leg(left, knee, ankle, toe)


def _leg_limbs(frame: _Frame, look: Look, leg: _Leg, hip: float) -> list[Limb]:
    top = frame.at(0, hip, leg.left)
    knee = frame.at(leg.knee[0], hip + leg.knee[1], leg.left)
    ankle = frame.at(leg.ankle[0], hip + leg.ankle[1], 0.9 * leg.left)
    heel = frame.at(leg.ankle[0] - 0.04, hip + leg.ankle[1] - 0.03, 0.9 * leg.left)
    toe = frame.at(leg.toe[0], hip + leg.toe[1], 1.1 * leg.left)
    return [
        Limb(top, knee, 0.094, 0.068, look.trousers),
        Limb(knee, ankle, 0.070, 0.052, look.trousers),
        Limb(heel, toe, SOLE_M, 0.036, look.shoes),
    ]


def _trunk(frame: _Frame, look: Look, hip: float) -> list[Limb]:
    chest, shoulder = hip + 0.43, hip + 0.455
    parts = []
    for side in (1, 0, -1):
        waist = frame.at(0, hip + 0.25, 0.078 * side)
        parts.append(Limb(frame.at(0, hip, 0.085 * side), waist, 0.112, 0.102, look.shirt))
        parts.append(Limb(waist, frame.at(0.01, chest, 0.098 * side), 0.102, 0.110, look.shirt))
    parts.append(Limb(frame.at(0, shoulder, 0.135), frame.at(0, shoulder, -0.135), 0.068, 0.068, look.shirt))
    parts.append(Limb(frame.at(0, hip + 0.48, 0), frame.at(0.025, hip + 0.60, 0), 0.062, 0.052, look.skin))
    return parts


def _arm(frame: _Frame, look: Look, left: float, up: float, swing: float, stride: float) -> list[Limb]:
    upper = 0.05 + 0.42 * swing
    lower = upper + 0.25 + 0.25 * stride + 0.15 * swing
    out = math.copysign(0.04, left)
    elbow = (UPPER_ARM_M * math.sin(upper), up - UPPER_ARM_M * math.cos(upper))
    wrist = (elbow[0] + FOREARM_M * math.sin(lower), elbow[1] - FOREARM_M * math.cos(lower))
    hand = (wrist[0] + HAND_M * math.sin(lower), wrist[1] - HAND_M * math.cos(lower))
    joints = [frame.at(*joint, left + out) for joint in (elbow, wrist, hand)]
    return [
        Limb(frame.at(0, up, left), joints[0], 0.060, 0.047, look.shirt),
        Limb(joints[0], joints[1], 0.046, 0.035, look.shirt),
        Limb(joints[1], joints[2], 0.036, 0.034, look.skin),
    ]


def _head(frame: _Frame, look: Look, up: float) -> list[Limb]:
    at = frame.at
    eyes = [Limb(at(0.108, up, left), at(0.110, up, left), 0.012, 0.012, EYE) for left in (0.035, -0.035)]
    return [
        Limb(at(0.045, up - 0.045, 0), at(0.03, up + 0.045, 0), 0.078, 0.092, look.skin),
        Limb(at(-0.02, up + 0.05, 0), at(0.015, up + 0.06, 0), 0.102, 0.096, look.hair),
        Limb(at(-0.03, up - 0.02, 0), at(-0.025, up + 0.04, 0), 0.086, 0.098, look.hair),
        *eyes,
    ]
