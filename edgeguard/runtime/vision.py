"""The vision thread: newest frame of each camera in, observations out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from edgeguard.clock import Clock
from edgeguard.errors import UnavailableError
from edgeguard.runtime.census import Census
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.glancing import Doorkeeper
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.shelf import Shelf, View
from edgeguard.runtime.stage import STEP_S, Stage
from edgeguard.types import Counts, Detections, Frame, ModelRef, Observation, Stages, Tracks
from edgeguard.vision.detector import Detector

log = logging.getLogger(__name__)

_RETRY_WANTED_NS = 60_000_000_000


class Tracking(Protocol):
    """A tracker of one camera."""

    def update(self, detections: Detections, frame: Frame) -> Tracks: ...


class Watching(Protocol):
    """A rule of one camera."""

    def update(self, tracks: Tracks) -> list[Observation]: ...


@dataclass(frozen=True, slots=True)
class Watch:
    """What follows the detector for one camera."""

    tracker: Tracking
    rules: Sequence[Watching]
    count: Callable[[Tracks], Counts] | None = None
    doorkeeper: Doorkeeper | None = None
    """Of a camera with a gate."""


@dataclass(frozen=True, slots=True)
class Eye:
    """A detector for some cameras, and the one that stands in while it cannot be had."""

    cameras: frozenset[str]
    wanted: Callable[[], Detector]
    fallback: Callable[[], Detector] | None
    part: Part
    lacking: Callable[[], str | None] = lambda: None
    """Why what `wanted` gave last is less than it should be; None if it is not."""
    may_do_better: Callable[[], bool] = lambda: False
    """Whether `wanted` may give a better one by now."""


class VisionStage(Stage):
    """Detects, tracks and applies the rules, one frame at a time, cameras in turn."""

    name = "vision"

    def __init__(
        self,
        frames: Channel[Frame],
        observations: Channel[Observation],
        eyes: Sequence[Eye],
        make_watch: Callable[[str, tuple[str, ...]], Watch],
        shelf: Shelf,
        part: Part,
        clock: Clock,
        census: Census | None = None,
    ) -> None:
        self._part = part
        self._frames = frames
        self._observations = observations
        self._sights = [Sight(eye, make_watch, clock) for eye in eyes]
        self._by_camera = {camera: sight for sight in self._sights for camera in sight.eye.cameras}
        self._shelf = shelf
        self._clock = clock
        self._census = census
        self._looking = False
        self._troubles: dict[str, str] = {}
        """What is wrong with a camera's pictures, by camera."""

    def open(self) -> None:
        for sight in self._sights:
            sight.open()

    @property
    def idle(self) -> bool:
        return not self._looking

    def step(self) -> None:
        self._looking = (frame := self._frames.get(STEP_S)) is not None
        for sight in self._sights:
            sight.try_wanted_again()
        if frame is not None:
            self._look_safely(self._by_camera[frame.source], frame)
        if self._census is not None:
            self._census.tell_news()
        if self._troubles:
            self._part.set(State.DEGRADED, "; ".join(self._troubles.values()))
        else:
            self._part.set(State.OK)

    def close(self) -> None:
        for sight in self._sights:
            sight.close()

    def finish(self) -> None:
        if self._census is not None:
            self._census.end()

    def models(self) -> Mapping[str, ModelRef]:
        """Which model watches each camera now, or did last."""
        return {name: sight.model for name, sight in self._by_camera.items() if sight.model}

    def _look_safely(self, sight: Sight, frame: Frame) -> None:
        """A picture that cannot be dealt with is its camera's trouble; a broken backend is everybody's."""
        if sight.detector is None:
            return
        try:
            self._look(sight, frame)
        except UnavailableError:
            raise
        except Exception as error:
            if frame.source not in self._troubles:
                log.exception("camera %s: its picture could not be analysed", frame.source)
            self._troubles[frame.source] = f"camera {frame.source}: {error}"
            sight.forget(frame.source)
        else:
            self._troubles.pop(frame.source, None)

    def _look(self, sight: Sight, frame: Frame) -> None:
        start_ns = self._clock.monotonic_ns()
        detections = sight.detect(frame)
        end_ns = self._clock.monotonic_ns()
        watch = sight.watch(frame.source)
        if watch.doorkeeper is not None and watch.doorkeeper.withholds(frame, detections):
            return
        tracks = watch.tracker.update(detections, frame)
        noticed = [seen for rule in watch.rules for seen in rule.update(tracks)]
        if self._census is not None and watch.count is not None:
            self._census.saw(watch.count(tracks))
        stages = Stages(frame.arrived_ns, start_ns, end_ns, self._clock.monotonic_ns())
        self._shelf.put(View(frame, tracks), keep=bool(noticed))
        for seen in noticed:
            self._observations.put(
                replace(seen, sequence=frame.sequence, media_ns=frame.media_ns, stages=stages)
            )


class Sight:
    """An eye with its detector loaded and its cameras' trackers and rules."""

    def __init__(self, eye: Eye, make_watch: Callable[[str, tuple[str, ...]], Watch], clock: Clock) -> None:
        self.eye = eye
        self.detector: Detector | None = None
        self.model: ModelRef | None = None
        """Of the detector in use, or that was last."""
        self._make_watch = make_watch
        self._clock = clock
        self._watches: dict[str, Watch] = {}
        self._retry_ns: int | None = None
        self._reason = ""
        """Why the wanted detector is not there."""

    def open(self) -> None:
        """Load the wanted detector, else the fallback, else see nothing until the wanted one can be had."""
        if self._use_wanted():
            return
        if self.eye.fallback is None:
            self.eye.part.set(State.DEGRADED, f"sees nothing: {self._reason}")
            return
        self._use(self.eye.fallback())
        assert self.model is not None
        self.eye.part.set(State.DEGRADED, f"using {self.model.name} instead: {self._reason}")

    def close(self) -> None:
        self._let_go()
        self._watches.clear()

    def try_wanted_again(self) -> None:
        if self._retry_ns is None or self._clock.monotonic_ns() < self._retry_ns:
            return
        if self.eye.lacking() is None or self.eye.may_do_better():
            self._use_wanted()
        else:
            self._settle()

    def forget(self, camera: str) -> None:
        """Begin anew with what is followed there."""
        self._watches.pop(camera, None)

    def _use_wanted(self) -> bool:
        try:
            detector = self.eye.wanted()
        except UnavailableError as error:
            self._reason = str(error)
            self._retry_ns = self._clock.monotonic_ns() + _RETRY_WANTED_NS
            return False
        self._use(detector)
        self._settle()
        return True

    def _settle(self) -> None:
        """Say what the wanted detector lacks, and look again later whether it still does."""
        lacking = self.eye.lacking()
        self._retry_ns = None if lacking is None else self._clock.monotonic_ns() + _RETRY_WANTED_NS
        self.eye.part.set(State.OK if lacking is None else State.DEGRADED, lacking)

    def detect(self, frame: Frame) -> Detections:
        assert self.detector is not None
        found = self.detector.detect([frame])[0]
        self.eye.part.worked()
        return found

    def watch(self, camera: str) -> Watch:
        """The camera's tracker and rules, made for the labels of the detector in use."""
        assert self.detector is not None
        if camera not in self._watches:
            self._watches[camera] = self._make_watch(camera, self.detector.labels)
        return self._watches[camera]

    def _let_go(self) -> None:
        if self.detector is not None:
            self.detector.close()
        self.detector = None

    def _use(self, detector: Detector) -> None:
        self._let_go()
        self.detector, self.model = detector, detector.model
        self._watches.clear()
        self.eye.part.note(model=detector.model.name, backend=detector.model.backend)
