"""A corridor indoors: quiet, then a window breaks, then the smoke alarm sounds."""

from __future__ import annotations

from edgeguard.synth import texture
from edgeguard.synth.actors import Actor, Person
from edgeguard.synth.easel import Easel
from edgeguard.synth.figure import Look
from edgeguard.synth.plan import Cue, Plan
from edgeguard.synth.solids import Colour, Light
from edgeguard.synth.sound import GLASS, SMOKE_ALARM
from edgeguard.synth.view import View
from edgeguard.synth.walk import Walk
from edgeguard.types import Line

VIEW = View(height_m=2.6, pitch_deg=15.5, focal=1.05)
HALF_M, HIGH_M, END_Z = 2.3, 3.0, 15.5

PLASTER: Colour = (196, 204, 206)
SKIRTING, FRAME, DOOR = (110, 112, 116), (150, 152, 156), (104, 132, 158)
GREEN, WHITE = (70, 150, 40), (235, 240, 240)

VISITOR = Look(shirt=(120, 100, 70), trousers=(60, 60, 64))
GUARD = Look((110, 80, 50), (60, 50, 44), skin=(110, 140, 190), hair=(24, 24, 28), height_m=1.8)


def backdrop(easel: Easel) -> None:
    easel.ground(texture.tiles(easel.rng, (158, 164, 166), 8), 4.0)
    easel.floor(-HALF_M, HALF_M, 0.4, END_Z, texture.plain((214, 216, 216)), HIGH_M)
    easel.front(-HALF_M, HALF_M, END_Z, (0, HIGH_M), texture.plain(PLASTER) * 0.92)
    for side in (-HALF_M, HALF_M):
        _wall(easel, side)
    _exit(easel)
    _lamps(easel)


def _wall(easel: Easel, x: float) -> None:
    shade = 0.92 if x < 0 else 0.84
    plaster = texture.rough(easel.rng, PLASTER, 0.015, 0.008, 128) * shade
    easel.wall((x, 0.4), (x, END_Z), 0, HIGH_M, plaster)
    easel.wall((x, 0.4), (x, END_Z), 0, 0.14, texture.plain(SKIRTING) * shade)
    for near in (4.6, 8.4, 12.2):
        _door(easel, x, near, shade)


def _door(easel: Easel, x: float, near: float, shade: float) -> None:
    inner = x * 0.998
    easel.wall((inner, near - 0.1), (inner, near + 1.2), 0, 2.25, texture.plain(FRAME) * shade)
    easel.wall((inner, near), (inner, near + 1.1), 0, 2.15, texture.plain(DOOR) * shade)
    easel.wall((inner, near + 0.08), (inner, near + 0.22), 1.0, 1.06, texture.plain((60, 60, 62)))


def _exit(easel: Easel) -> None:
    z = END_Z - 0.02
    easel.front(-1.1, 1.1, z, (0, 2.3), texture.plain(FRAME))
    for left in (-1.0, 0.03):
        easel.front(left, left + 0.97, z, (0, 2.2), texture.plain(DOOR) * 0.9)
    easel.front(-0.5, 0.5, z, (2.4, 2.75), texture.lettering("EXIT", WHITE, GREEN, 48, 128))


def _lamps(easel: Easel) -> None:
    """Panels in the ceiling, and their shine on the polished floor."""
    for z in (13.0, 9.5, 6.0, 2.5):
        easel.floor(-0.6, 0.6, z, z + 1.2, texture.plain((252, 255, 255)), HIGH_M - 0.01)
        easel.glow((0, 0, z + 0.6), 0.5, (240, 246, 248), 0.20)


HALL = Plan(
    title="Hall: corridor with a smoke detector",
    view=VIEW,
    light=Light(towards=(-0.10, 0.94, 0.33), ambient=0.62, direct=0.42, shadow=0.30),
    backdrop=backdrop,
    actors=(
        Actor(Person(VISITOR), Walk((3.0, 0.4, 14.6), (11.0, -0.5, 5.0), (14.0, -0.9, 1.2))),
        Actor(Person(GUARD), Walk((31.0, 0.9, 1.2), (33.2, 0.6, 4.5), (40.0, 0.2, 14.6))),
    ),
    zones={"corridor": VIEW.polygon((-1.9, 4.6), (1.9, 4.6), (1.9, 11.0), (-1.9, 11.0))},
    lines={"threshold": Line(VIEW.project(-2.0, 8.0), VIEW.project(2.0, 8.0))},
    cues=(Cue(21.0, GLASS), Cue(30.0, SMOKE_ALARM)),
    tone_db=-60.0,
)
