"""A scene with its seed and size: pictures, sound and truth at any time."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeguard.synth import paint, truth
from edgeguard.synth.actors import Actor
from edgeguard.synth.easel import Easel
from edgeguard.synth.paint import Picture
from edgeguard.synth.plan import DURATION_S, Plan
from edgeguard.synth.scenes import SCENES
from edgeguard.synth.solids import Stand
from edgeguard.synth.sound import tone
from edgeguard.synth.truth import Event, TrueBox
from edgeguard.synth.url import SceneUrl, parse
from edgeguard.synth.walk import Step
from edgeguard.types import Line, Polygon

GRAIN = 2.2
"""Standard deviation of a pixel."""
PICTURE, GRAIN_SEED, SOUND = range(3)
"""What a random number is for; each has its own stream."""


class Scene:
    """The same address gives the same bytes at the same time. Not for several threads at once."""

    duration_s = float(DURATION_S)
    """After this everything happens again, with new actor ids."""

    def __init__(self, plan: Plan, url: SceneUrl) -> None:
        self.url = url
        self._plan = plan
        self._sounds: dict[int, NDArray[np.float32]] = {}

    @classmethod
    def open(cls, url: str) -> Scene:
        """Raises SourceError if there is no such scene."""
        parsed = parse(url, SCENES)
        return cls(SCENES[parsed.name], parsed)

    @property
    def title(self) -> str:
        return self._plan.title

    @property
    def zones(self) -> dict[str, Polygon]:
        """Relative coordinates; the same for every size."""
        return dict(self._plan.zones)

    @property
    def lines(self) -> dict[str, Line]:
        return dict(self._plan.lines)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What happens in the first round, by time."""
        return truth.events(self._plan)

    @cached_property
    def background(self) -> Picture:
        """The place without actors and without grain."""
        easel = Easel(self._plan.view, self.url.width, self.url.height, self._random(PICTURE))
        self._plan.backdrop(easel)
        return easel.finish()

    def picture(self, t_s: float) -> Picture:
        """(height, width, 3) uint8, blue, green, red."""
        picture = self.background.copy()
        light = self._plan.light
        cast = self._cast(t_s)
        sprites = [(actor.body.render(step, stand, light), stand) for _, actor, step, stand in cast]
        for sprite, stand in sprites:
            paint.darken(picture, paint.cast(sprite, stand, light))
        for sprite, _ in sprites:
            paint.lay(picture, sprite)
        return self._sensor.expose(picture, round(t_s * 1000))

    def truth(self, t_s: float) -> tuple[TrueBox, ...]:
        """The actors that the picture shows at least partly, by id."""
        boxes = []
        for actor_id, actor, step, stand in self._cast(t_s):
            left, top, right, bottom = actor.body.bounds(step, stand)
            x0, x1 = np.clip((left, right), 0, self.url.width).tolist()
            y0, y1 = np.clip((top, bottom), 0, self.url.height).tolist()
            visible = (x1 - x0) * (y1 - y0) / ((right - left) * (bottom - top))
            if visible > 0:
                boxes.append(TrueBox((x0, y0, x1, y1), actor.body.label, actor_id, visible))
        return tuple(sorted(boxes, key=lambda box: box.actor_id))

    def sound(self, start_sample: int, count: int, rate_hz: int = 16000) -> NDArray[np.float32]:
        """(count,) samples, -1..1, from sample `start_sample` after the scene's beginning."""
        if rate_hz not in self._sounds:
            self._sounds[rate_hz] = self._round_of_sound(rate_hz)
        one_round = self._sounds[rate_hz]
        return one_round[np.arange(start_sample, start_sample + count) % len(one_round)]

    @cached_property
    def _sensor(self) -> paint.Sensor:
        return paint.Sensor(self.url.width, self.url.height, GRAIN, self._random(GRAIN_SEED))

    def _cast(self, t_s: float) -> list[tuple[int, Actor, Step, Stand]]:
        """Id, actor, step and stand of everybody on the stage, far ones first."""
        rounds, now_s = divmod(t_s, self.duration_s)
        ids = range(1 + int(rounds) * len(self._plan.actors), 1 << 62)
        steps = [(n, actor, actor.walk.at(now_s)) for n, actor in zip(ids, self._plan.actors, strict=False)]
        cast = [(n, actor, step, self._stand(step)) for n, actor, step in steps if step]
        return sorted(cast, key=lambda entry: -entry[2].z_m)

    def _stand(self, step: Step) -> Stand:
        view, url = self._plan.view, self.url
        x, y = view.project(step.x_m, step.z_m)
        scale = view.pixels_per_metre(step.z_m, url.height)
        return Stand(x * url.width, y * url.height, scale, view.elevation(step.z_m))

    def _round_of_sound(self, rate_hz: int) -> NDArray[np.float32]:
        rng = self._random(SOUND)
        total = tone(rng, DURATION_S * rate_hz, rate_hz, self._plan.tone_db)
        for cue in self._plan.cues:
            voice = cue.level * cue.voice.make(rng, cue.voice.duration_s, rate_hz)
            start = round(cue.t_s * rate_hz)
            total[start : start + len(voice)] += voice[: len(total) - start]
        return np.clip(total, -1, 1).astype(np.float32)

    def _random(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.url.seed, *self.url.name.encode(), purpose])
