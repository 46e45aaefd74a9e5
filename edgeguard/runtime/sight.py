"""A detector at work for some cameras, and what follows it for each of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeguard.clock import Clock
from edgeguard.errors import UnavailableError
from edgeguard.runtime.codes import FAULT, code_of
from edgeguard.runtime.glancing import Doorkeeper
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.paces import INFERENCE
from edgeguard.runtime.syncing import Syncing
from edgeguard.types import Counts, Detections, Frame, Memory, ModelRef, Observation, Tracks
from edgeguard.vision.detector import Detector

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
    guests: frozenset[str] = frozenset()
    """Those of its cameras that seldom give pictures: nobody waits for them."""
    key: Hashable = None
    """Of what is wanted: an eye with the same key needs no other detector."""


class Sight:
    """An eye with its detector loaded and its cameras' trackers and rules."""

    def __init__(
        self,
        eye: Eye,
        make_watch: Callable[[str, tuple[str, ...]], Watch],
        clock: Clock,
        to_host: Callable[[Frame], Frame],
    ) -> None:
        self.eye = eye
        eye.part.expect(INFERENCE)
        self.detector: Detector | None = None
        self.model: ModelRef | None = None
        """Of the detector in use, or that was last."""
        self._make_watch = make_watch
        self._clock = clock
        self._to_host = to_host
        self._watches: dict[str, Watch] = {}
        self._retry_ns: int | None = None
        self._reason, self._code = "", FAULT
        """Why the wanted detector is not there."""

    def open(self) -> None:
        """Load the wanted detector, else the fallback, else see nothing until the wanted one can be had."""
        if self._use_wanted():
            return
        if self.eye.fallback is None:
            self.eye.part.set(State.DEGRADED, f"sees nothing: {self._reason}", self._code)
            return
        self._use(self.eye.fallback())
        assert self.model is not None
        self.eye.part.set(State.DEGRADED, f"using {self.model.name} instead: {self._reason}", "fallback")

    def refit(self, eye: Eye, anew: Collection[str]) -> None:
        """Look at the cameras of `eye` from now on, and begin anew with those in `anew`."""
        self.eye = eye
        for name in [name for name in self._watches if name in anew or name not in eye.cameras]:
            del self._watches[name]

    def close(self) -> None:
        self._let_go()
        self._watches.clear()

    @property
    def is_due(self) -> bool:
        """Whether it is time to try the wanted detector again, which may take as long as opening does."""
        return self._retry_ns is not None and self._clock.monotonic_ns() >= self._retry_ns

    def try_wanted_again(self) -> None:
        if not self.is_due:
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
            self._reason, self._code = str(error), code_of(error)
            self._retry_ns = self._clock.monotonic_ns() + _RETRY_WANTED_NS
            return False
        self._use(detector)
        self._settle()
        return True

    def _settle(self) -> None:
        """Say what the wanted detector lacks, and look again later whether it still does."""
        lacking = self.eye.lacking()
        self._retry_ns = None if lacking is None else self._clock.monotonic_ns() + _RETRY_WANTED_NS
        self.eye.part.set(State.OK if lacking is None else State.DEGRADED, lacking, "no_engine")

    @property
    def max_batch(self) -> int:
        """Frames that the detector looks at in one go; more than one only where that saves time."""
        return int(getattr(self.detector, "max_batch", 1))

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is in each frame. A detector on the CPU is given copies of those that lie on the GPU."""
        assert self.detector is not None
        if not getattr(self.detector, "takes_device_frames", False):
            frames = [frame if frame.memory is Memory.HOST else self._to_host(frame) for frame in frames]
        found = self.detector.detect(frames)
        for _ in frames:
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


@dataclass(frozen=True, slots=True)
class Outfit:
    """What the vision thread looks with from now on."""

    eyes: Sequence[Eye]
    ready: Sequence[Sight]
    """Opened already, for those eyes that no sight is there for."""
    anew: Collection[str]
    """Cameras whose tracker and rules begin anew."""
    stale: Collection[str]
    """Cameras whose waiting pictures are of before, and not looked at any more."""
    patience_s: float
    syncing: Syncing
