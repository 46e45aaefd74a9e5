"""A loading dock: a car passes, people gather before door 2 and part again."""

from __future__ import annotations

import math

from edgeguard.synth import texture
from edgeguard.synth.actors import Actor, Person, Vehicle
from edgeguard.synth.easel import Easel
from edgeguard.synth.figure import Look
from edgeguard.synth.plan import Cue, Plan
from edgeguard.synth.solids import Light
from edgeguard.synth.sound import ENGINE
from edgeguard.synth.vehicle import CAR
from edgeguard.synth.view import View
from edgeguard.synth.walk import Walk
from edgeguard.types import Line

VIEW = View(height_m=4.2, pitch_deg=16.5, focal=1.55)
LEFT, RIGHT, NEAR, FAR = -2.7, 2.7, 8.4, 12.8
LANE_NEAR_Z, LANE_Z, LANE_FAR_Z = 14.4, 15.8, 17.2
WALL_Z = 18.6

YELLOW, RUBBER = (40, 180, 215), (50, 50, 52)
WOOD, CARDBOARD, TAPE, BRICK = (77, 120, 152), (120, 165, 196), (150, 190, 214), (96, 110, 148)

FOREMAN = Look(shirt=(25, 62, 165), trousers=(70, 56, 48))
DRIVER = Look((98, 82, 20), (56, 54, 52), skin=(100, 130, 180), hair=(25, 25, 30), height_m=1.82)
CLERK = Look((95, 40, 88), (50, 48, 46), hair=(60, 110, 160), height_m=1.68)
LOADER = Look((45, 88, 38), (84, 74, 64), skin=(80, 105, 150), hair=(20, 20, 25))


def _visit(start_s: float, from_x: float, x: float, z: float, until_s: float, to_x: float) -> Walk:
    """Comes straight to a spot, shifts about there, and goes."""
    points = [(start_s, from_x, z), (start_s + abs(x - from_x) / 1.35, x, z)]
    while points[-1][0] < until_s - 1.2:
        turn = 2.1 * len(points)
        points.append((points[-1][0] + 1.2, x + 0.35 * math.cos(turn), z + 0.3 * math.sin(turn)))
    return Walk(*points, (until_s + 0.3, x, z), (until_s + abs(to_x - x) / 1.4, to_x, z))


def backdrop(easel: Easel) -> None:
    easel.sky((200, 190, 180), (220, 216, 210))
    easel.ground(texture.rough(easel.rng, (140, 144, 146), 0.05, 0.035), 6.0)
    _lane(easel)
    _building(easel)
    _bay(easel)
    for x, z, high in ((2.2, 17.3, 1.35), (-3.6, 17.3, 0.75), (8.2, 17.3, 1.05)):
        _pallet(easel, x, z, high)


def _lane(easel: Easel) -> None:
    """Asphalt along the doors, between yellow edges."""
    rng = easel.rng
    easel.floor(-30, 30, LANE_NEAR_Z, LANE_FAR_Z, texture.rough(rng, (104, 108, 110), 0.06, 0.05))
    for z in (LANE_NEAR_Z, LANE_FAR_Z):
        easel.floor(-30, 30, z - 0.06, z + 0.06, texture.rough(rng, YELLOW, 0.1, 0.06, 128))


def _building(easel: Easel) -> None:
    easel.front(-20, 20, WALL_Z, (0, 7), texture.bricks(easel.rng, BRICK, 70, 170))
    easel.front(-20, 20, WALL_Z - 0.02, (0, 0.5), texture.rough(easel.rng, (128, 130, 132), 0.06, 0.04))
    for number, left in enumerate((-7.6, -1.9, 3.8), 1):
        easel.front(left - 0.25, left + 4.05, WALL_Z - 0.05, (0, 4.1), texture.plain((62, 62, 64)))
        easel.front(left, left + 3.8, WALL_Z - 0.1, (0, 3.9), texture.slats(easel.rng, (176, 168, 160), 18))
        sign = texture.lettering(str(number), (240, 240, 240), (130, 84, 40), 96, 96)
        easel.front(left + 1.4, left + 2.4, WALL_Z - 0.15, (2.2, 3.1), sign)
        for bumper in (left - 0.18, left + 3.72):
            easel.box((bumper, 0, WALL_Z - 0.6), (0.26, 0.9, 0.3), texture.plain(RUBBER))


def _bay(easel: Easel) -> None:
    """A yellow frame around the zone."""
    paint, half = texture.rough(easel.rng, YELLOW, 0.1, 0.06, 128), 0.08
    for x in (LEFT, RIGHT):
        easel.floor(x - half, x + half, NEAR, FAR, paint)
    for z in (NEAR, FAR):
        easel.floor(LEFT, RIGHT, z - half, z + half, paint)


def _pallet(easel: Easel, x: float, z: float, high: float) -> None:
    easel.shade(((x, z), (x + 1.3, z), (x + 0.7, z + 1.6), (x - 0.7, z + 1.6)), 0.35, 3)
    easel.box((x, 0, z), (1.3, 0.15, 1.2), texture.slats(easel.rng, WOOD, 3, (32, 96)))
    cardboard = texture.rough(easel.rng, CARDBOARD, 0.04, 0.02, 64)
    easel.box((x + 0.05, 0.15, z + 0.05), (1.2, high, 1.1), cardboard)
    easel.front(x + 0.55, x + 0.75, z + 0.04, (0.15, 0.15 + high), texture.plain(TAPE))


DOCK = Plan(
    title="Loading dock: bay before door 2",
    view=VIEW,
    light=Light(towards=(0.38, 0.80, 0.46), ambient=0.56, direct=0.56, shadow=0.32),
    backdrop=backdrop,
    actors=(
        Actor(Vehicle(CAR, (165, 120, 70)), Walk((2.0, -14.5, LANE_Z), (10.0, 14.5, LANE_Z))),
        Actor(Person(FOREMAN), _visit(9.0, -9.0, -1.7, 10.2, 34.0, -9.0)),
        Actor(Person(DRIVER), _visit(10.5, 9.0, 1.7, 9.8, 35.0, 9.0)),
        Actor(Person(CLERK), _visit(12.5, -9.5, -0.55, 11.6, 36.5, -9.5)),
        Actor(Person(LOADER), _visit(14.0, 9.5, 0.6, 12.0, 38.0, 9.5)),
    ),
    zones={"bay": VIEW.polygon((LEFT, NEAR), (RIGHT, NEAR), (RIGHT, FAR), (LEFT, FAR))},
    lines={"lane": Line(VIEW.project(0, LANE_NEAR_Z), VIEW.project(0, LANE_FAR_Z))},
    cues=(Cue(2.0, ENGINE),),
    tone_db=-54.0,
)
