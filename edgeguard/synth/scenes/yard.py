"""A yard behind a barrier: somebody walks in, lingers at the transformer, and a window breaks."""

from __future__ import annotations

from edgeguard.synth import texture
from edgeguard.synth.actors import Actor, Person
from edgeguard.synth.easel import Easel
from edgeguard.synth.figure import Look
from edgeguard.synth.plan import Cue, Plan
from edgeguard.synth.solids import Light
from edgeguard.synth.sound import CALL_THE_POLICE, GLASS, HELP_ME
from edgeguard.synth.view import View
from edgeguard.synth.walk import Walk
from edgeguard.types import Line

VIEW = View(height_m=4.0, pitch_deg=16.5, focal=1.4)
GATE_X, GATE_NEAR_Z, GATE_FAR_Z = -3.2, 5.5, 13.2
LEFT, RIGHT, NEAR, FAR = 0.7, 4.8, 7.4, 11.3

YELLOW, BLACK, WHITE = (50, 190, 225), (60, 62, 62), (205, 212, 212)
RED, AMBER, STEEL, POST = (60, 60, 200), (60, 150, 215), (168, 158, 146), (128, 130, 126)

INTRUDER = Look(shirt=(36, 32, 150), trousers=(66, 50, 42))
PASSER_BY = Look((112, 62, 26), (44, 42, 40), skin=(100, 130, 180), hair=(20, 20, 25), height_m=1.82)

LINGERING = Walk(
    *((2.5, -8.0, 9.6), (8.6, 0.2, 9.4), (10.8, 2.4, 10.6), (12.4, 3.9, 10.2), (13.0, 3.9, 10.2)),
    *((16.0, 1.3, 8.7), (18.8, 3.8, 8.5), (20.6, 2.6, 9.6), (21.8, 2.6, 9.6), (24.0, 4.0, 10.4)),
    *((26.6, 1.3, 10.3), (28.6, 2.8, 9.0), (33.4, 9.0, 8.8)),
)
LEAVING = Walk((33.0, 6.4, 6.8), (39.0, -2.2, 7.4), (41.8, -7.0, 7.8))


def backdrop(easel: Easel) -> None:
    easel.sky((214, 190, 160), (228, 222, 214))
    easel.ground(texture.rough(easel.rng, (112, 116, 116), 0.06, 0.05), 7.0)
    _beyond(easel)
    _fence(easel)
    line = texture.rough(easel.rng, WHITE, 0.12, 0.06, 128)
    easel.floor(-14, 14, 13.5, 13.62, line)
    easel.floor(GATE_X - 0.12, GATE_X + 0.12, 5.0, GATE_FAR_Z, line)
    _restricted(easel)
    _transformer(easel)
    _barrier(easel)


def _beyond(easel: Easel) -> None:
    """Grass, a hedge and the works building."""
    rng = easel.rng
    easel.floor(-40, 40, 17.2, 60, texture.rough(rng, (70, 116, 98), 0.2, 0.10))
    hedge = texture.foliage(rng, (52, 84, 66))
    for x in range(-38, 40, 20):
        easel.front(x, x + 20, 36, (0, 6.2), hedge)
    easel.front(-2.5, 22, 23, (0, 5.2), texture.corrugated(rng, STEEL, 60))
    easel.front(-2.5, 22, 23, (0, 0.5), texture.plain((96, 98, 100)))
    easel.front(3.0, 7.0, 22.95, (0, 3.6), texture.slats(rng, (120, 96, 70), 16))
    easel.front(9.6, 10.7, 22.95, (0, 2.2), texture.plain((70, 84, 92)))
    for left in (-1.2, 0.05):
        easel.front(left, left + 1.15, 22.95, (1.6, 2.8), texture.plain((112, 88, 66)))


def _fence(easel: Easel) -> None:
    easel.floor(-40, 40, 16.9, 17.2, texture.rough(easel.rng, (150, 154, 154), 0.05, 0.03, 128))
    easel.front(-16, 16, 18, (0, 2.1), texture.mesh((120, 124, 120), 0.55, cell_px=14))
    for x in range(-16, 17, 2):
        easel.front(x - 0.05, x + 0.05, 18, (0, 2.25), texture.plain(POST))
    easel.front(-16, 16, 18, (2.08, 2.15), texture.plain(POST))


def _restricted(easel: Easel) -> None:
    """Yellow and black edges around the zone."""
    easel.floor(LEFT, RIGHT, NEAR, FAR, texture.rough(easel.rng, (96, 102, 104), 0.05, 0.05))
    wide = 0.25
    for near in (FAR - wide, NEAR):
        easel.floor(LEFT, RIGHT, near, near + wide, texture.stripes(YELLOW, BLACK, 16, 256, 32))
    for left in (LEFT, RIGHT - wide):
        easel.floor(left, left + wide, NEAR, FAR, texture.stripes(YELLOW, BLACK, 256, 16, 32))


def _transformer(easel: Easel) -> None:
    easel.shade(((1.8, 11.55), (5.2, 11.55), (6.2, 13.4), (2.8, 13.4)), 0.35, 4)
    easel.box((1.8, 0, 11.6), (2.4, 1.7, 1.0), texture.slats(easel.rng, (123, 136, 114), 14))
    easel.front(2.98, 3.02, 11.59, (0.05, 1.65), texture.plain((70, 80, 66)))
    easel.front(2.2, 2.6, 11.58, (1.0, 1.4), texture.lettering("!", (20, 20, 20), (40, 200, 240), 64, 64))
    keep_out = texture.lettering("KEEP OUT", (230, 230, 230), (40, 40, 190), 64, 160)
    easel.front(3.35, 3.95, 11.58, (1.05, 1.35), keep_out)


def _barrier(easel: Easel) -> None:
    """Its boom is up."""
    easel.shade(((-3.3, 13.5), (-3.0, 13.5), (-1.9, 14.3), (-2.2, 14.3)), 0.35, 2)
    easel.box((-3.5, 0, 13.4), (0.5, 1.1, 0.5), texture.plain(AMBER))
    boom = ((-3.33, 4.6, 13.4), (-3.23, 4.6, 13.4), (-3.19, 1.0, 13.4), (-3.37, 1.0, 13.4))
    easel.quad(boom, texture.stripes(RED, (225, 225, 225), 200, 16, 100))


YARD = Plan(
    title="Yard: restricted area beside the gate",
    view=VIEW,
    light=Light(towards=(-0.45, 0.72, 0.53), ambient=0.50, direct=0.62, shadow=0.32),
    backdrop=backdrop,
    actors=(Actor(Person(INTRUDER), LINGERING), Actor(Person(PASSER_BY), LEAVING)),
    zones={"restricted": VIEW.polygon((LEFT, NEAR), (RIGHT, NEAR), (RIGHT, FAR), (LEFT, FAR))},
    lines={"gate": Line(VIEW.project(GATE_X, GATE_NEAR_Z), VIEW.project(GATE_X, GATE_FAR_Z))},
    cues=(Cue(21.0, GLASS, level=0.7), Cue(27.0, HELP_ME, level=0.5), Cue(30.0, CALL_THE_POLICE, level=0.5)),
)
