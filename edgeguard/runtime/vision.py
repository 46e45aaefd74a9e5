"""The vision thread: newest frame of each camera in, observations out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from edgeguard.clock import Clock
from edgeguard.cuda.driver import GpuLostError
from edgeguard.errors import UnavailableError
from edgeguard.runtime.census import Census
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.heed import Strides
from edgeguard.runtime.latency import Note, passed, unnoted
from edgeguard.runtime.paces import RULES
from edgeguard.runtime.pacing import Pacer
from edgeguard.runtime.shelf import Shelf, View
from edgeguard.runtime.sight import Eye, Outfit, Sight, Watch
from edgeguard.runtime.stage import STEP_S, Stage
from edgeguard.runtime.syncing import Syncing
from edgeguard.runtime.views import Views
from edgeguard.types import Detections, Frame, Memory, ModelRef, Observation, Stages, Tracks

log = logging.getLogger(__name__)


def _as_it_is(frame: Frame) -> Frame:
    return frame


class VisionStage(Stage):
    """Detects in batches across cameras, then tracks and applies the rules, in the order of each camera.

    A batch is dispatched when it is full or `patience_s` after its first frame came; where the detector takes
    one frame at a time, as on the CPU, nothing waits.
    """

    name = "vision"
    open_s = 240.0
    """A model is loaded then: on a slow card that takes minutes. Each of several may take as long."""

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
        pacer: Pacer | None = None,
        to_host: Callable[[Frame], Frame] = _as_it_is,
        patience_s: float = 0.0,
        views: Views | None = None,
        syncing: Syncing | None = None,
        to_small: Callable[[Frame], Frame] | None = None,
        note_latency: Note = unnoted,
    ) -> None:
        """`to_host` copies a frame that lies on the GPU, for evidence and for detectors on the CPU;
        `to_small` as little of it as tells how much moves.
        """
        self._part = part
        part.expect(RULES)
        self._frames = frames
        self._observations = observations
        self._make_watch = make_watch
        self._to_host = to_host
        self._clock = clock
        self._sights = [self.sight(eye) for eye in eyes]
        self._by_camera = _by_camera(self._sights)
        self._shelf = shelf
        self._census = census
        self._pacer = pacer or Pacer({}, clock)
        self._to_small = to_small or to_host
        self._patience_s = patience_s
        self._views = views
        self._syncing = syncing or Syncing()
        self._note_latency = note_latency
        self._looking = False
        self._troubles: dict[str, str] = {}
        """What is wrong with a camera's pictures, by camera, and with copying them from the GPU."""
        self._analysed_ns: dict[str, int] = {}
        self.strides = Strides(clock)

    def sight(self, eye: Eye) -> Sight:
        """One that this stage can use; to be opened before it is."""
        return Sight(eye, self._make_watch, self._clock, self._to_host)

    def sees_with(self, key: object) -> bool:
        """Whether there is an eye with that key. For any thread."""
        return any(sight.eye.key == key for sight in self._sights)

    def refit(self, outfit: Outfit) -> list[Part]:
        """Look with other eyes from now on; the parts of those that are gone. For its own thread."""
        there = {sight.eye.key: sight for sight in self._sights}
        ready = {sight.eye.key: sight for sight in outfit.ready}
        sights = []
        for eye in outfit.eyes:
            sight = there.pop(eye.key, None) or ready[eye.key]
            sight.refit(eye, outfit.anew)
            sights.append(sight)
        self._sights, self._by_camera = sights, _by_camera(sights)
        self._patience_s, self._syncing = outfit.patience_s, outfit.syncing
        for frame in self._frames.discard(lambda frame: frame.source in outfit.stale):
            if frame.hold is not None:
                frame.hold.release()
        for sight in sights:
            sight.eye.part.rest()
        for name in outfit.anew:
            self._troubles.pop(name, None)
        for name in self._analysed_ns.keys() - self._by_camera.keys():
            self._troubles.pop(name, None)
            del self._analysed_ns[name]
        for sight in there.values():
            sight.close()
        return [sight.eye.part for sight in there.values()]

    def open(self) -> None:
        for sight in self._sights:
            sight.open()
            self.live()

    @property
    def idle(self) -> bool:
        return not self._looking

    def step(self) -> None:
        self.step_s = 0.0
        frames = self._next_batch()
        self._looking = bool(frames)
        for sight in self._sights:
            if sight.is_due:  # this step may load a model, and who loads one is not stuck
                self.step_s = self.open_s
                sight.try_wanted_again()
                self.live()
        self._look_for_tampering(frames)
        for frame in frames:
            self._syncing.saw(frame, self._to_small)
        start_ns = self._clock.monotonic_ns()
        for sight in self._sights:
            self._look_at_all(sight, [frame for frame in frames if self._by_camera[frame.source] is sight])
        self._pacer.looked([frame.source for frame in frames], self._clock.monotonic_ns() - start_ns)
        self._pacer.tick()
        if self._census is not None:
            self._census.tell_news()
        if self._troubles:
            self._part.set(State.DEGRADED, "; ".join(self._troubles.values()), "not_analysed")
        else:
            self._part.set(State.OK)
        self.strides.took()

    def close(self) -> None:
        for sight in self._sights:
            sight.eye.part.rest()
            sight.close()

    def finish(self) -> None:
        if self._census is not None:
            self._census.end()

    def models(self) -> Mapping[str, ModelRef]:
        """Which model watches each camera now, or did last."""
        return {name: sight.model for name, sight in self._by_camera.items() if sight.model}

    def asked(self, frame: Frame) -> None:
        """A frame waits to be looked at. For any thread."""
        sight = self._by_camera.get(frame.source)
        if sight is not None:
            sight.eye.part.asked()

    def analysed_s_ago(self, camera: str) -> float | None:
        """Since a picture of it was looked at and held against the rules; None before the first."""
        then_ns = self._analysed_ns.get(camera)
        return None if then_ns is None else (self._clock.monotonic_ns() - then_ns) / 1e9

    @property
    def unwatched(self) -> list[str]:
        """Cameras that have no detector now. For any thread."""
        return [name for name, sight in self._by_camera.items() if sight.detector is None]

    def _next_batch(self) -> list[Frame]:
        """Of as many cameras as the widest detector takes at once; a site may have none."""
        if not self._sights:
            return self._frames.get_batch(1, 1, self._patience_s, STEP_S)
        widest = max(self._sights, key=lambda sight: sight.max_batch)
        most = widest.max_batch
        enough = max(1, min(most, len(widest.eye.cameras - widest.eye.guests)))
        return self._frames.get_batch(most, enough, self._patience_s, STEP_S)

    def _look_for_tampering(self, frames: Sequence[Frame]) -> None:
        if self._views is not None:
            for frame in frames:
                for seen in self._views.look(frame):
                    self._observations.put(seen)

    def _look_at_all(self, sight: Sight, frames: Sequence[Frame]) -> None:
        for start in range(0, len(frames), sight.max_batch):
            self._look_safely(sight, frames[start : start + sight.max_batch])

    def _look_safely(self, sight: Sight, frames: Sequence[Frame]) -> None:
        """A picture that cannot be dealt with is its camera's trouble; a broken backend is everybody's."""
        if sight.detector is None:
            return
        start_ns = self._clock.monotonic_ns()
        try:
            found = sight.detect(frames)
            self._part.asked()
        except UnavailableError:
            raise
        except Exception as error:
            if len(frames) == 1:
                self._in_trouble(sight, frames[0], error)
            else:
                for frame in frames:
                    self._look_safely(sight, [frame])
            return
        end_ns = self._clock.monotonic_ns()
        for frame, detections in zip(frames, found, strict=True):
            self._follow_safely(sight, frame, detections, (start_ns, end_ns))

    def _follow_safely(
        self, sight: Sight, frame: Frame, detections: Detections, inferred_ns: tuple[int, int]
    ) -> None:
        try:
            self._follow(sight, frame, detections, inferred_ns)
        except UnavailableError:
            raise
        except Exception as error:
            self._in_trouble(sight, frame, error)
        else:
            self._troubles.pop(frame.source, None)
            self._analysed_ns[frame.source] = self._clock.monotonic_ns()
            self._part.worked()
        finally:
            if frame.hold is not None:  # the detector has waited for the GPU: nothing reads the buffer now
                frame.hold.release()

    def _in_trouble(self, sight: Sight, frame: Frame, error: Exception) -> None:
        if frame.source not in self._troubles:
            log.error("camera %s: its picture could not be analysed", frame.source, exc_info=error)
        self._troubles[frame.source] = f"camera {frame.source}: {error}"
        sight.forget(frame.source)

    def _follow(
        self, sight: Sight, frame: Frame, detections: Detections, inferred_ns: tuple[int, int]
    ) -> None:
        watch = sight.watch(frame.source)
        if watch.doorkeeper is not None and watch.doorkeeper.withholds(frame, detections):
            return
        tracks = watch.tracker.update(detections, frame)
        noticed = [seen for rule in watch.rules for seen in rule.update(tracks)]
        if self._census is not None and watch.count is not None:
            self._census.saw(watch.count(tracks))
        ruled_ns = self._clock.monotonic_ns()
        stages = Stages(frame.arrived_ns, *inferred_ns, ruled_ns, frame.sensor_ns, frame.received_ns)
        for stage, took_ns in passed(stages):
            self._note_latency(stage, took_ns)
        try:
            self._put_on_shelf(frame, tracks, bool(noticed))
        finally:  # a picture that cannot be had must not cost the alert
            for seen in noticed:
                self._observations.put(
                    replace(seen, sequence=frame.sequence, media_ns=frame.media_ns, stages=stages)
                )

    def _put_on_shelf(self, frame: Frame, tracks: Tracks, keep: bool) -> None:
        """A picture on the GPU is copied, and for evidence only: its decoder needs the buffer."""
        if frame.memory is Memory.HOST:
            self._shelf.put(View(frame, tracks), keep)
        elif keep or self._shelf.wants(frame):
            copying = f"{frame.source}, copying"
            try:
                self._shelf.put(View(self._to_host(frame), tracks), keep)
            except GpuLostError:
                raise
            except UnavailableError as error:
                trouble = f"camera {frame.source}: a picture for evidence could not be copied: {error}"
                if copying not in self._troubles:
                    log.warning("%s", trouble)
                self._troubles[copying] = trouble
            else:
                self._troubles.pop(copying, None)


def _by_camera(sights: Sequence[Sight]) -> dict[str, Sight]:
    return {camera: sight for sight in sights for camera in sight.eye.cameras}
