"""Cameras, detectors, trackers and the rules on what they see."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import replace
from functools import partial

from edgeguard.capture import ActivityGate, Gate
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config.cameras import Camera
from edgeguard.config.source import enabled
from edgeguard.cuda.ledger import Crossings
from edgeguard.models import Catalog, ModelStore
from edgeguard.rules import Headcount
from edgeguard.runtime.admission import Admission
from edgeguard.runtime.assembly.changes import Change
from edgeguard.runtime.assembly.drilled import BEGINS_AT, CONFIRM_FRAMES
from edgeguard.runtime.assembly.drilling import Drilling
from edgeguard.runtime.assembly.eyes import Optician
from edgeguard.runtime.assembly.gating import doorkeeper_of, gate_of, rules_at
from edgeguard.runtime.assembly.gear import Gear
from edgeguard.runtime.assembly.pacing import Downloads, pacer_of, patience_s, wishes_of
from edgeguard.runtime.assembly.sharing import Taps
from edgeguard.runtime.assembly.sources import frame_source, is_realtime, retries, silent_s
from edgeguard.runtime.assembly.viewing import views_of, views_with
from edgeguard.runtime.assembly.watching import rules_of, wanted_by
from edgeguard.runtime.census import Census, Outlook
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.coverage import Coverage
from edgeguard.runtime.detectors import DetectorLoader
from edgeguard.runtime.glancing import Lockstep
from edgeguard.runtime.health import HealthBoard, Part
from edgeguard.runtime.heed import Lapse
from edgeguard.runtime.latency import Note, unnoted
from edgeguard.runtime.paces import frames
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.sight import Eye, Outfit, Sight, Watch
from edgeguard.runtime.sources import Inlet, SourceStage
from edgeguard.runtime.stage import Stage
from edgeguard.runtime.syncing import Syncing
from edgeguard.runtime.vision import VisionStage
from edgeguard.types import Counts, Frame, ModelRef, Observation, Polygon, Showing, drill
from edgeguard.vision.tracker import Tracker

_SILENT_FRAMES = 3
"""A camera that gives no picture for so many of its frames, and for as long as a source may be silent, counts
nothing."""
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
        self._cameras = enabled(config.cameras)
        self._gates = {name: self._gate(name) for name in self._cameras}
        self._answers: dict[str, Lockstep] = {}
        self._track_ids = {name: itertools.count(1) for name in self._cameras}
        self._loader = DetectorLoader(catalog, store)
        self._optician = Optician(self._loader, board)
        self._frames: Channel[Frame] = Channel(
            _room(self._cameras),
            WhenFull.WAIT,
            self._frame_key,
            coming=lambda frame: self._vision.asked(frame),
        )
        self._counting = config.mqtt.counts
        self._gear = Gear(clock)
        self._pacer = pacer_of(self._cameras, clock)
        downloads = Downloads(self._loader.ledger, self._loader.cubins)
        self._downloads = downloads
        self._views = views_of(
            self._cameras, config.rules, board, downloads.to_small, config.state_dir, clock
        )
        self._census = Census(self._outlooks(), tell_counts, clock) if self._counting else None
        self._vision = VisionStage(
            self._frames,
            observations,
            self._optician.eyes(self._cameras, config.tracker),
            self._watch,
            shelf,
            board.part("vision"),
            clock,
            self._census,
            self._pacer,
            downloads.to_host,
            patience_s(self._real),
            self._views,
            syncing,
            downloads.to_small,
            note_latency,
        )

    def thinkers(self) -> dict[str, Stage]:
        return {"vision": self._vision}

    def sources(self) -> dict[str, Stage]:
        return {f"camera/{name}": self.stage(name) for name in self._real}

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

    def unheeded(self) -> dict[str, Lapse]:
        """Cameras whose pictures no detector looks at, or where looking stands still."""
        since_ns = self._vision.strides.standing_since_ns
        names = self._vision.unwatched if since_ns is None else [*self._real]
        return {name: Lapse("unwatched", since_ns) for name in names if name in self._real}

    def refresh(self) -> None:
        """Bring the frames that nobody looked at, by reason, and the bytes that crossed into health."""
        replaced = self._frames.drops()
        for name in self._real:
            part = self._board.known(f"camera/{name}")
            if part is None:  # just taken away
                continue
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

    def stage(self, name: str) -> Stage:
        """A new one for that camera."""
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
        camera = self._cameras.get(frame.source)
        if camera is not None and is_realtime(camera) and frame.showing is Showing.LIVE:
            return frame.source
        return frame.source, frame.sequence

    def prepare(self, config: Config) -> Generator[None, None, tuple[list[Eye], list[Sight]]]:
        """The eyes for `config`, and sights, opened, for those that there is none for yet. For any thread.

        Each step loads one model.
        """
        cameras = enabled(config.cameras)
        eyes = self._optician.eyes(cameras, config.tracker)
        ready = [self._vision.sight(eye) for eye in eyes if not self._vision.sees_with(eye.key)]
        for sight in ready:
            sight.open()
            yield
        return eyes, ready

    def refit(
        self, config: Config, change: Change, syncing: Syncing, prepared: tuple[list[Eye], list[Sight]]
    ) -> list[Part]:
        """See by `config` from now on; the parts of detectors that are gone. For the vision thread."""
        self._config = config
        self._cameras = enabled(config.cameras)
        for name in self._cameras:
            self._track_ids.setdefault(name, itertools.count(1))
            if name in change.opened:
                self._answers.pop(name, None)
                self._gates[name] = self._gate(name)
        self._frames.resize(_room(self._cameras))
        self._pacer.refit(wishes_of(self._cameras))
        self._views.refit(*views_with(self._views, config, change.reviewed, self._board, self._clock))
        if self._census is not None:
            self._census.refit(self._outlooks(), change.reviewed)
        eyes, ready = prepared
        outfit = Outfit(eyes, ready, change.reviewed, change.closed, patience_s(self._real), syncing)
        gone = self._vision.refit(outfit)
        return [part for part in gone if part not in [eye.part for eye in eyes]]

    def _watch(self, camera: str, labels: tuple[str, ...]) -> Watch:
        settings = self._config.tracker
        begin, confirm = self._cameras[camera].detector.confidence, settings.confirm_frames
        if camera == drill.CAMERA:
            begin, confirm = min(begin, BEGINS_AT), min(confirm, CONFIRM_FRAMES)
        tracker = Tracker(
            camera,
            labels,
            self._track_ids[camera],
            begin_confidence=begin,
            low_confidence=min(begin, settings.low_confidence),
            sure_confidence=settings.sure_confidence,
            confirm_hits=confirm,
            lost_s=settings.lost_s,
        )
        counting = self._counting and camera != drill.CAMERA
        count = Headcount(camera, self._polygons(camera)).update if counting else None
        mine = rules_at(self._config, camera)
        wanted = [None] if self._counting else [wanted_by(rule, labels) for rule in mine]
        doorkeeper = doorkeeper_of(
            self._gates[camera],
            self._answers.get(camera),
            labels,
            wanted,
            self._cameras[camera].detector.confidence,
            settings.low_confidence,
        )
        rules = rules_of(self._config, camera, labels)
        if self._drilling and camera == drill.CAMERA:
            rules.append(self._drilling.onlooker())
        return Watch(tracker, rules, count, doorkeeper)

    def _polygons(self, camera: str) -> dict[str, Polygon]:
        return {name: zone.polygon for name, zone in self._cameras[camera].zones.items()}

    def _gate(self, camera: str) -> Gate | None:
        return gate_of(self._cameras[camera], rules_at(self._config, camera))

    def _outlooks(self) -> dict[str, Outlook]:
        return {name: Outlook(tuple(camera.zones), _silent_s(camera)) for name, camera in self._real.items()}


def _room(cameras: Collection[str]) -> int:
    """For frames that wait."""
    return 2 * len(cameras) + 1


def _silent_s(camera: Camera) -> float:
    if camera.gate == "keyframes":
        return max(_KEYFRAMES_S, silent_s(camera))
    return max(silent_s(camera), _SILENT_FRAMES / camera.analyse_fps)
