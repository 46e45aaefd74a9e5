"""Cameras, detectors, trackers and the rules on what they see."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from edgeguard.capture import ActivityGate
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.config.cameras import Camera
from edgeguard.config.detector import Detector as DetectorSettings
from edgeguard.cuda.ledger import Crossings
from edgeguard.models import Catalog, ModelStore
from edgeguard.rules import Crowd, Headcount, LineCrossed, Loitering, Presence, Rule, ZoneEntered, ZoneLeft
from edgeguard.runtime.admission import Admission
from edgeguard.runtime.assembly.drilling import Drilling
from edgeguard.runtime.assembly.fusing import EVERYWHERE, watched_zones
from edgeguard.runtime.assembly.gating import doorkeeper_of, gate_of
from edgeguard.runtime.assembly.gear import Gear
from edgeguard.runtime.assembly.pacing import Downloads, pacer_of, patience_s
from edgeguard.runtime.assembly.sharing import Taps
from edgeguard.runtime.assembly.sources import frame_source, is_realtime, retries
from edgeguard.runtime.assembly.viewing import views_of
from edgeguard.runtime.census import Census, Outlook
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.coverage import Coverage
from edgeguard.runtime.detectors import DetectorChoice, DetectorLoader
from edgeguard.runtime.glancing import Lockstep
from edgeguard.runtime.health import HealthBoard, Part
from edgeguard.runtime.latency import Note, unnoted
from edgeguard.runtime.paces import frames
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.sight import Eye, Watch
from edgeguard.runtime.sources import Inlet, SourceStage
from edgeguard.runtime.stage import Stage
from edgeguard.runtime.syncing import Syncing
from edgeguard.runtime.vision import VisionStage
from edgeguard.types import Counts, Frame, Line, ModelRef, Observation, Polygon, Showing, drill
from edgeguard.vision.motion import MotionDetector
from edgeguard.vision.tracker import Tracker

_MOTION_ONLY = ("motion",)
_SILENT_S, _SILENT_FRAMES = 5.0, 3
"""A camera that gives no picture for so long, and for so many of its frames, counts nothing."""
_KEYFRAMES_S = 60.0
"""The same where only keyframes are decoded: a connection that gives nothing is noticed by its packets."""


class Seeing:
    """From the cameras' URLs to observations."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        board: HealthBoard,
        catalog: Catalog,
        store: ModelStore,
        observations: Channel[Observation],
        shelf: Shelf,
        tell_counts: Callable[[Counts], bool],
        coverage: Coverage,
        taps: Taps | None = None,
        syncing: Syncing | None = None,
        drilling: Drilling | None = None,
        note_latency: Note = unnoted,
    ) -> None:
        """`drilling` has the hidden camera, where `config` names it."""
        self._drilling = drilling
        self._config = config
        self._clock = clock
        self._coverage = coverage
        self._taps = taps or Taps()
        self._board = board
        self._tracker = config.tracker
        self._cameras = {name: camera for name, camera in config.cameras.items() if camera.enabled}
        self._rules = [rule for rule in config.rules if rule.enabled and isinstance(rule, kinds.SceneRule)]
        self._gates = {name: gate_of(camera, self._rules_at(name)) for name, camera in self._cameras.items()}
        self._answers: dict[str, Lockstep] = {}
        self._track_ids = {name: itertools.count(1) for name in self._cameras}
        self._loader = DetectorLoader(catalog, store)
        self._frames: Channel[Frame] = Channel(
            2 * len(self._cameras) + 1,
            WhenFull.WAIT,
            self._frame_key,
            coming=lambda frame: self._vision.asked(frame),
        )
        self._counting = config.mqtt.counts
        self._gear = Gear(clock)
        self._pacer = pacer_of(self._cameras, clock)
        downloads = Downloads(self._loader.ledger, self._loader.cubins)
        self._vision = VisionStage(
            self._frames,
            observations,
            self._eyes(),
            self._watch,
            shelf,
            board.part("vision"),
            clock,
            Census(self._outlooks(), tell_counts, clock) if self._counting else None,
            self._pacer,
            downloads.to_host,
            patience_s(self._real),
            views_of(self._cameras, config.rules, board, downloads.to_small, config.state_dir, clock),
            syncing,
            downloads.to_small,
            note_latency,
        )

    def thinkers(self) -> dict[str, Stage]:
        return {"vision": self._vision}

    def sources(self) -> dict[str, Stage]:
        return {f"camera/{name}": self._stage(name) for name in self._real}

    def hidden(self) -> dict[str, Stage]:
        """The camera of the drill."""
        if self._drilling is None or drill.CAMERA not in self._cameras:
            return {}
        return {self._drilling.part(drill.CAMERA).name: self._drilling.frames(self._inlet(drill.CAMERA))}

    @property
    def _real(self) -> dict[str, Camera]:
        """All but the hidden one."""
        return {name: camera for name, camera in self._cameras.items() if name != drill.CAMERA}

    def models(self) -> Mapping[str, ModelRef]:
        """Which model watches each camera now, or did last."""
        return self._vision.models()

    def unheeded(self) -> dict[str, str]:
        """Cameras whose pictures no detector looks at, with the cause."""
        return dict.fromkeys((name for name in self._vision.unwatched if name in self._real), "unwatched")

    def refresh(self) -> None:
        """Bring the frames that nobody looked at, by reason, and the bytes that crossed into health."""
        replaced = self._frames.drops()
        for name in self._real:
            part = self._board.part(f"camera/{name}")
            part.note(frames_replaced=replaced.get(name, 0), **self._pacer.counters(name))
            if (ago_s := self._vision.analysed_s_ago(name)) is not None:
                part.note(analysed_age_s=round(ago_s, 1))
        captured, moved = self._gear.crossed(), self._loader.ledger.read()
        if moved != Crossings() or captured.frames > captured.host_maps:
            all_in_all = replace(captured + moved, frames=captured.frames)
            self._board.part("vision").note(**all_in_all.as_measures())

    @property
    def idle(self) -> bool:
        return not len(self._frames) and self._vision.idle

    def _stage(self, name: str) -> Stage:
        part = self._board.part(f"camera/{name}")
        camera = self._cameras[name]
        source = frame_source(
            name,
            camera,
            self._clock,
            camera.analyse_fps,
            self._gates[name],
            self._gear.tiers(name),
            self._taps.of_camera(name),
        )
        return SourceStage(
            f"capture-{name}",
            source,
            self._inlet(name),
            part,
            loop=camera.loop,
            coverage=self._coverage,
            silent_s=_silent_s(camera),
            retry_s=retries(camera),
            counters=source.counters,
            shortfall=partial(self._pacer.shortfall, name),
            pace=frames(_silent_s(camera)) if is_realtime(camera) else None,
        )

    def _inlet(self, name: str) -> Inlet[Frame]:
        """Where frames go; a clip that is read fast waits there for the answers to its gate."""
        admission = Admission(self._frames, self._pacer)
        gate = self._gates[name]
        if not isinstance(gate, ActivityGate) or is_realtime(self._cameras[name]):
            return admission
        self._answers[name] = lockstep = Lockstep(admission, gate.saw)
        return lockstep

    def _frame_key(self, frame: Frame) -> object:
        """In real time a newer frame replaces a waiting one; a clip read faster than that loses none."""
        if is_realtime(self._cameras[frame.source]) and frame.showing is Showing.LIVE:
            return frame.source
        return frame.source, frame.sequence

    def _eyes(self) -> list[Eye]:
        """One eye for all cameras with the same detector settings."""
        cameras_by_settings: dict[DetectorSettings, list[str]] = {}
        for name, camera in self._cameras.items():
            cameras_by_settings.setdefault(camera.detector, []).append(name)
        single = len(cameras_by_settings) == 1
        return [
            Eye(
                cameras=frozenset(names),
                guests=drill.SOURCES.intersection(names),
                wanted=partial(self._loader.load, self._choice(settings)),
                fallback=MotionDetector if settings.fallback == "motion" else None,
                part=self._board.part("detector" if single else f"detector/{names[0]}"),
                lacking=partial(self._loader.lacking, settings.model),
                may_do_better=partial(self._loader.may_do_better, settings.model),
            )
            for settings, names in cameras_by_settings.items()
        ]

    def _choice(self, settings: DetectorSettings) -> DetectorChoice:
        """The tracker also wants to see what is too faint to begin a track."""
        floor = min(settings.confidence, self._tracker.low_confidence)
        return DetectorChoice(settings.model, floor, settings.iou, settings.classes, settings.threads)

    def _watch(self, camera: str, labels: tuple[str, ...]) -> Watch:
        settings = self._tracker
        tracker = Tracker(
            camera,
            labels,
            self._track_ids[camera],
            begin_confidence=self._cameras[camera].detector.confidence,
            low_confidence=settings.low_confidence,
            sure_confidence=settings.sure_confidence,
            confirm_hits=settings.confirm_frames,
            lost_s=settings.lost_s,
        )
        counting = self._counting and camera != drill.CAMERA
        count = Headcount(camera, self._polygons(camera)).update if counting else None
        wanted = [None] if self._counting else [_wanted(rule, labels) for rule in self._rules_at(camera)]
        doorkeeper = doorkeeper_of(
            self._gates[camera],
            self._answers.get(camera),
            labels,
            wanted,
            self._cameras[camera].detector.confidence,
            settings.low_confidence,
        )
        return Watch(tracker, self._rules_of(camera, labels), count, doorkeeper)

    def _rules_at(self, camera: str) -> list[kinds.SceneRule]:
        return [rule for rule in self._rules if rule.camera == camera]

    def _polygons(self, camera: str) -> dict[str, Polygon]:
        return {name: zone.polygon for name, zone in self._cameras[camera].zones.items()}

    def _outlooks(self) -> dict[str, Outlook]:
        return {name: Outlook(tuple(camera.zones), _silent_s(camera)) for name, camera in self._real.items()}

    def _rules_of(self, camera: str, labels: tuple[str, ...]) -> list[Rule]:
        """The camera's own rules, and for the joining ones who is present in their zones."""
        mine = self._rules_at(camera)
        zones = self._cameras[camera].zones
        return [
            *(self._rule(rule, labels) for rule in mine if not isinstance(rule, kinds.HeardAndSeen)),
            *(
                Presence(zone or EVERYWHERE, zones[zone].polygon if zone else _PICTURE)
                for zone in watched_zones(self._config, camera)
            ),
            *([self._drilling.onlooker()] if self._drilling and camera == drill.CAMERA else []),
        ]

    def _rule(self, rule: kinds.SceneRule, labels: tuple[str, ...]) -> Rule:
        camera = self._cameras[rule.camera]
        wanted = _wanted(rule, labels)
        match rule:
            case kinds.LineCrossed():
                line = camera.lines[rule.line]
                return LineCrossed(rule.name, rule.line, Line(line.start, line.end), rule.direction, wanted)
            case kinds.ZoneRule():
                return _zone_rule(rule, camera.zones[rule.zone].polygon, wanted)
        raise TypeError(f"no rule is built for the kind {rule.kind}")


_PICTURE: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def _silent_s(camera: Camera) -> float:
    if camera.gate == "keyframes":
        return _KEYFRAMES_S
    return max(_SILENT_S, _SILENT_FRAMES / camera.analyse_fps)


def _zone_rule(rule: kinds.ZoneRule, polygon: Polygon, wanted: frozenset[str] | None) -> Rule:
    match rule:
        case kinds.ZoneEntered():
            return ZoneEntered(rule.name, rule.zone, polygon, wanted)
        case kinds.ZoneLeft():
            return ZoneLeft(rule.name, rule.zone, polygon, wanted)
        case kinds.Loitering():
            return Loitering(rule.name, rule.zone, polygon, rule.dwell_s, wanted)
        case kinds.Crowd():
            return Crowd(rule.name, rule.zone, polygon, rule.count, rule.hold_s, wanted)
    raise TypeError(f"no rule is built for the kind {rule.kind}")


def _wanted(rule: kinds.SceneRule, labels: tuple[str, ...]) -> frozenset[str] | None:
    """The classes of a rule; without a model everything that moves counts."""
    if rule.classes is None or labels == _MOTION_ONLY:
        return None
    return frozenset(rule.classes)
