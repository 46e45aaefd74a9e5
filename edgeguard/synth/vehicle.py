"""A car: a side profile extruded to a body, with windows, lamps and wheels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.synth.solids import Box, Colour, Light, Sprite, Stand

GLASS: Colour = (78, 66, 54)
TYRE: Colour = (34, 33, 32)
RIM: Colour = (168, 166, 164)
SPOKES: Colour = (120, 118, 116)
TRIM: Colour = (44, 44, 46)
DARK: Colour = (34, 34, 35)
HEADLAMP: Colour = (235, 245, 250)
TAIL_LAMP: Colour = (45, 40, 185)
WHEEL_M = 0.33
ZOOM = 3
"""Painted this much larger than wanted, for smooth edges."""
FIXED_POINT_BITS = 4

Edge = tuple[float, float]
"""(along, up) in metres; along 0 is the middle, forward is positive."""
Outline = tuple[Edge, ...]


class Shape(NamedTuple):
    """A vehicle seen from its side."""

    profile: Outline
    """From the rear bumper over the roof to the front bumper."""
    glazed: tuple[int, ...]
    """Pieces of the profile that are glass."""
    windows: tuple[Outline, ...]
    details: tuple[tuple[Outline, Colour], ...]
    """On the side: sill, arches, gaps and handles of the doors, lamps."""
    wheels: tuple[float, ...]
    """Where along."""
    half_width_m: float


class Face(NamedTuple):
    """A flat piece; directions are along, up, left until `faces` turns them into those of `solids.Vector`."""

    corners: NDArray[Any]
    """(n, 3)"""
    normal: NDArray[Any]
    """(3,), outward."""
    colour: Colour


def faces(shape: Shape, paint: Colour, heading: float) -> list[Face]:
    """Every face, hidden or not, in an order in which nearer ones come later."""
    cos, sin = math.cos(heading), math.sin(heading)
    turn = np.array([[cos, 0, -sin], [0, 1, 0], [-sin, 0, -cos]])
    sides = [*_side(shape, paint, 1.0), *_side(shape, paint, -1.0)]
    parts = [_underbody(shape), *_hull(shape, paint), *_lamps(shape), *sides]
    return [Face(face.corners @ turn.T, turn @ face.normal, face.colour) for face in parts]


def bounds(parts: Sequence[Face], stand: Stand) -> Box:
    x, y, _ = stand.place(np.concatenate([face.corners for face in parts]).T)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def render(parts: Sequence[Face], stand: Stand, light: Light) -> Sprite:
    """The faces that can be seen, darker towards the ground."""
    box = bounds(parts, stand)
    left, top = math.floor(box[0]) - 1, math.floor(box[1]) - 1
    w, h = math.ceil(box[2]) + 1 - left, math.ceil(box[3]) + 1 - top
    colour = np.zeros((h * ZOOM, w * ZOOM, 3), np.uint8)
    alpha = np.zeros((h * ZOOM, w * ZOOM), np.uint8)
    eye = np.array([0.0, math.sin(stand.elevation), math.cos(stand.elevation)])
    for face in parts:
        if face.normal @ eye <= 0:
            continue
        lit = light.ambient + light.direct * max(0.0, float(face.normal @ np.array(light.towards)))
        x, y, _ = stand.place(face.corners.T)
        outline = [np.round(np.stack([x - left, y - top], 1) * (ZOOM << FIXED_POINT_BITS)).astype(np.int32)]
        tint = [min(255.0, channel * lit) for channel in face.colour]
        cv2.fillPoly(colour, outline, tint, cv2.LINE_8, FIXED_POINT_BITS)
        cv2.fillPoly(alpha, outline, 255, cv2.LINE_8, FIXED_POINT_BITS)
    painted = cv2.resize(colour, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.resize(alpha, (w, h), interpolation=cv2.INTER_AREA) / np.float32(255)
    up_m = (stand.y_px - top - np.arange(h, dtype=np.float32)) / stand.scale
    gloom = (0.78 + 0.3 * np.clip(up_m / 1.2, 0, 1)).astype(np.float32)
    return Sprite(left, top, painted * gloom[:, None, None], cover)


def _underbody(shape: Shape) -> Face:
    """The dark ground below."""
    rear, front, half = min(shape.profile)[0] + 0.4, max(shape.profile)[0] - 0.4, shape.half_width_m - 0.08
    return _strip((rear, 0.02), (front, 0.02), (-half, half), DARK)


def _hull(shape: Shape, paint: Colour) -> list[Face]:
    """The strips across the vehicle, from the rear over the roof to the front."""
    hull = []
    half, pane = shape.half_width_m, shape.half_width_m - 0.11
    for n, ((a0, u0), (a1, u1)) in enumerate(itertools.pairwise(shape.profile)):
        hull.append(_strip((a0, u0), (a1, u1), (-half, half), paint))
        if n in shape.glazed:
            da, du = 0.06 * (a1 - a0), 0.06 * (u1 - u0)
            hull.append(_strip((a0 + da, u0 + du), (a1 - da, u1 - du), (-pane, pane), GLASS))
    return hull


def _lamps(shape: Shape) -> list[Face]:
    front, rear = max(shape.profile)[0], min(shape.profile)[0]
    lamps = []
    for across in ((0.42, 0.82), (-0.82, -0.42)):
        lamps.append(_strip((front, 0.73), (front, 0.60), across, HEADLAMP))
        lamps.append(_strip((rear, 0.60), (rear, 0.73), across, TAIL_LAMP))
    return lamps


def _strip(a: Edge, b: Edge, across: tuple[float, float], colour: Colour) -> Face:
    """A piece across the vehicle; going from a to b, with the rear on the left, its outside is up."""
    (a0, u0), (a1, u1), (right, left) = a, b, across
    length = math.hypot(a1 - a0, u1 - u0)
    corners = np.array([(a0, u0, right), (a1, u1, right), (a1, u1, left), (a0, u0, left)])
    return Face(corners, np.array([(u0 - u1) / length, (a1 - a0) / length, 0]), colour)


def _side(shape: Shape, paint: Colour, left: float) -> list[Face]:
    """Skin, trims, windows and wheels of the left (1) or right (-1) side."""
    layers = [(shape.profile, paint), *shape.details]
    layers += [(window, GLASS) for window in shape.windows]
    for along in shape.wheels:
        rings = ((WHEEL_M, TYRE), (0.64 * WHEEL_M, RIM), (0.52 * WHEEL_M, SPOKES), (0.2 * WHEEL_M, TYRE))
        layers += [(_disc(along, radius), colour) for radius, colour in rings]
    skin, normal = left * shape.half_width_m, np.array([0, 0, left])
    return [Face(np.array([(a, u, skin) for a, u in outline]), normal, colour) for outline, colour in layers]


def _disc(along: float, radius_m: float) -> Outline:
    angles = np.linspace(0, 2 * math.pi, 20, endpoint=False)
    return tuple((along + radius_m * math.cos(a), WHEEL_M + radius_m * math.sin(a)) for a in angles)


def _arch(along: float) -> Outline:
    return tuple((along + 0.41 * math.cos(a), 0.30 + 0.41 * math.sin(a)) for a in np.linspace(0, math.pi, 13))


def _bar(along: float, low: float, high: float, width_m: float = 0.025) -> Outline:
    return (along, low), (along + width_m, low), (along + width_m, high), (along, high)


CAR = Shape(
    profile=(
        *((-2.08, 0.28), (-2.15, 0.45), (-2.16, 0.60), (-2.08, 0.92), (-1.98, 1.00), (-1.50, 1.38)),
        *((-1.10, 1.47), (-0.40, 1.50), (0.15, 1.46), (0.40, 1.40), (1.10, 1.00), (1.55, 0.92)),
        *((1.95, 0.80), (2.10, 0.66), (2.16, 0.50), (2.12, 0.28)),
    ),
    glazed=(4, 9),
    windows=(
        ((-1.70, 1.02), (-1.42, 1.32), (-1.02, 1.40), (-0.48, 1.42), (-0.46, 1.00)),
        ((-0.36, 1.00), (-0.38, 1.42), (0.12, 1.39), (0.36, 1.32), (0.86, 1.00)),
    ),
    details=(
        (((-2.10, 0.26), (2.12, 0.26), (2.12, 0.38), (-2.12, 0.38)), TRIM),
        *((_arch(along), TRIM) for along in (-1.33, 1.33)),
        *((_bar(along, 0.38, 0.98), TRIM) for along in (-0.42, 0.80)),
        (_bar(-1.25, 0.72, 1.0), TRIM),
        *((_bar(along, 0.86, 0.89, 0.18), TRIM) for along in (-0.68, 0.50)),
        (((-2.15, 0.66), (-1.92, 0.70), (-1.98, 0.90), (-2.09, 0.88)), TAIL_LAMP),
        (((1.72, 0.70), (2.12, 0.60), (2.09, 0.68), (1.90, 0.78)), HEADLAMP),
    ),
    wheels=(-1.33, 1.33),
    half_width_m=0.87,
)
