"""The drill: hidden sources and rules beside those of the site, and who judges what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from edgeguard.alerts.gate import Gate
from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.link import Link, LinkEvent
from edgeguard.alerts.policy import AlertRule
from edgeguard.alerts.topics import Topics
from edgeguard.audio import SceneAudioSource
from edgeguard.capture import SceneFrameSource
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.runtime.alerting import Fusing
from edgeguard.runtime.assembly.drilled import FPS, URL, drilled
from edgeguard.runtime.assembly.scheduling import schedule
from edgeguard.runtime.assembly.sources import pause
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.drill_book import HEARD, Act, DrillBook
from edgeguard.runtime.drill_folder import DrillFolder
from edgeguard.runtime.drill_source import DrillSource, LazyScene, Onlooker
from edgeguard.runtime.drill_stage import DrillStage, Script
from edgeguard.runtime.drill_wire import Apart, DrillGate, DrillLink, overhearing
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.sources import Inlet, SourceStage
from edgeguard.runtime.stage import Stage
from edgeguard.types import Alert, AudioChunk, Frame, ModelRef, Observation, Severity, drill

_PARTS = {drill.CAMERA: "drill/camera", drill.MICROPHONE: "drill/microphone"}
_SOUNDS = (("noise", drill.NOISE, "sound", "sounds"), ("call", drill.CALL, "intent", "speech"))
"""Act, rule, kind of observation, and the part of health that tells of its model."""
_MISSED = AlertRule(drill.MISSED, Severity.ALARM, update_every_s=3600.0)
_RESPONSIBLE: Mapping[str, tuple[str, ...]] = {
    "inferred": ("vision", "detector"),
    "noticed": ("detector", "hearing"),
    "committed": ("outbox",),
    "published": ("broker",),
    "acknowledged": ("broker",),
    "received": ("broker",),
}
"""The parts of health that a place belongs to; all that begin like them."""


class Drilling:
    """What all rooms need of it; without `drill.enabled` it changes nothing."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        board: HealthBoard,
        observations: Channel[Observation],
        models: Callable[[], tuple[Mapping[str, ModelRef], Mapping[str, ModelRef]]] = lambda: ({}, {}),
    ) -> None:
        """`models` are those behind each camera, and behind each kind of what is heard."""
        self.enabled = config.drill.enabled
        self.config = self.over(config)
        self._topics = Topics(config.site, config.device)
        self._clock = clock
        self._board = board
        self._models = models
        self._book = DrillBook()
        self._timeout_s = config.drill.timeout_s
        self._stage = DrillStage(
            self._book,
            DrillFolder(config.state_dir),
            self._script,
            self._why,
            observations,
            board.part("drill"),
            clock,
            config.drill.every_h,
            covers=self._may_be_held,
        )
        board.part("drill").set(State.OFF, None if self.enabled else "drill.enabled is false")

    def over(self, config: Config) -> Config:
        """`config` with what is hidden."""
        return drilled(config) if self.enabled else config

    def stages(self) -> dict[str, Stage]:
        """The judge, and the hidden sources."""
        return {"drill": self._stage} if self.enabled else {}

    def ask(self) -> str | None:
        """Hold a drill now; why not, if it cannot be."""
        return self._stage.ask(self._timeout_s) if self.enabled else "drills are not enabled here"

    def frames(self, out: Inlet[Frame]) -> Stage:
        """The hidden camera's thread."""
        scene, part = LazyScene(URL.address), self.part(drill.CAMERA)
        source = SceneFrameSource(drill.CAMERA, scene, self._clock, FPS, pause)
        draw = partial(scene.picture, 0.0)
        hidden = DrillSource(source, draw, scene.forget, self._book, part, self._clock, pause)
        return SourceStage(f"capture-{drill.CAMERA}", hidden, out, part)

    def chunks(self, out: Inlet[AudioChunk]) -> Stage:
        """The hidden microphone's thread."""
        scene, part = LazyScene(URL.address), self.part(drill.MICROPHONE)
        source = SceneAudioSource(drill.MICROPHONE, scene, self._clock, pause)
        compose = partial(scene.sound, 0, 1)
        hidden = DrillSource(source, compose, scene.forget, self._book, part, self._clock, pause)
        return SourceStage(f"audio-{drill.MICROPHONE}", hidden, out, part)

    def part(self, source: str) -> Part:
        """A hidden source's part of health."""
        return self._board.part(_PARTS[source])

    def onlooker(self) -> Onlooker:
        return Onlooker(drill.CAMERA, self._book, self._clock)

    def apart(self, fuser: Fusing) -> Fusing:
        return Apart(fuser, self._book, self._clock) if self.enabled else fuser

    def alert_rules(self) -> list[AlertRule]:
        return [_MISSED] if self.enabled else []

    def told(self, alert: Alert) -> None:
        """An alert is on its way to the outbox."""
        if alert.drill:
            self._book.decided(alert, self._clock.monotonic_ns())

    def gate(self, desk: Gate, ledger: Ledger) -> Gate:
        if not self.enabled:
            return desk
        return DrillGate(desk, ledger, self._book, self._clock)

    def link(self, link: Link) -> Link:
        if not self.enabled:
            return link
        return DrillLink(link, self._topics.alerts_of("-").removesuffix("-/#"), self._book, self._clock)

    def overhearing(self, notify: Callable[[LinkEvent], object]) -> Callable[[LinkEvent], object]:
        return overhearing(notify, self._book, self._clock) if self.enabled else notify

    def _may_be_held(self, utc_ns: int) -> bool:
        """By the timer."""
        when = schedule(self.config, self.config.drill.schedule)
        return when is None or when.covers(utc_ns)

    def _script(self) -> Script:
        """What can be tried out here and now."""
        seen, heard = self._models()
        acts, left_out, judges = [], {}, {}
        if drill.CAMERA in self.config.cameras:
            acts.append(Act("intrusion", drill.INTRUSION, drill.CAMERA))
            if model := seen.get(drill.CAMERA):
                judges["intrusion"] = _named(model)
        else:
            left_out["intrusion"] = "no camera here looks for persons"
        for name, rule, kind, part in _SOUNDS:
            reason = self._why_unheard(kind, part, heard)
            if reason is None:
                acts.append(Act(name, rule, drill.MICROPHONE, HEARD))
                judges[name] = _named(heard[kind])
            else:
                left_out[name] = reason
        config = self.config
        return Script(tuple(acts), left_out, judges, lambda: self.config is config)

    def _why_unheard(self, kind: str, part: str, heard: Mapping[str, ModelRef]) -> str | None:
        microphone = self.config.microphones.get(drill.MICROPHONE)
        if microphone is None or not getattr(microphone, part):
            return f"no microphone here listens for {part}"
        if kind in heard:
            return None
        return self._board.part(part).reason or "its model is not loaded"

    def _why(self, place: str) -> str | None:
        """What the parts that are responsible for it say is wrong."""
        names = _RESPONSIBLE.get(place, ())
        said = self._board.report()
        reasons = [
            part["reason"]
            for name, part in said.items()
            if name.startswith(names) and part["state"] == "degraded"
        ]
        return "; ".join(dict.fromkeys(filter(None, reasons))) or None


def _named(model: ModelRef) -> str:
    return f"{model.name} ({model.backend})"
