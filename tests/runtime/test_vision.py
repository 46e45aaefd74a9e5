from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.cuda.driver import GpuLostError
from edgeguard.errors import ModelError
from edgeguard.runtime import vision
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.pacing import Pacer, Wish
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.sight import Eye, Sight, Watch
from edgeguard.runtime.stage import StageThread
from edgeguard.runtime.syncing import Pair, Syncing
from edgeguard.runtime.vision import VisionStage
from edgeguard.sync import SyncCheck
from edgeguard.types import Detections, Frame, Memory, ModelRef, Observation, Tracks
from tests.support.alerts import seen
from tests.support.kernel import Held
from tests.support.pictures import grey
from tests.support.tracks import tracks


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision, "STEP_S", 0.001)


class Finder:
    """A detector that takes a tenth of a second and finds nothing."""

    def __init__(self, name: str, clock: ManualClock, labels: tuple[str, ...] = ("person",)) -> None:
        self.labels = labels
        self.model = ModelRef(name, None, "fake")
        self._clock = clock

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self._clock.advance(0.1)
        return [Detections.empty() for _ in frames]

    def close(self) -> None:
        self.closed = True


class Bench:
    """A vision stage whose model may be missing; every frame is worth an observation."""

    def __init__(self, *, model: bool = True, fallback: bool = True) -> None:
        self.clock = ManualClock()
        self.board = HealthBoard(self.clock)
        self.model = model
        self.asked = 0
        self.watched: list[tuple[str, tuple[str, ...]]] = []
        self.frames: Channel[Frame] = Channel(10)
        self.observations: Channel[Observation] = Channel(100)
        self.shelf = Shelf()
        self.part = self.board.part("detector")
        eye = Eye(
            frozenset({"gate", "dock"}),
            self.wanted,
            (lambda: Finder("motion", self.clock, ("motion",))) if fallback else None,
            self.part,
            lambda: self.lacking,
            lambda: self.lacking is None,
        )
        self.lacking: str | None = None
        self.thread: StageThread
        self.beats_ns: list[int] = []
        self.stage = VisionStage(
            self.frames,
            self.observations,
            [eye],
            self.watch,
            self.shelf,
            self.board.part("vision"),
            self.clock,
        )

    def wanted(self) -> Finder:
        self.asked += 1
        if not self.model:
            raise ModelError("yolox-nano-416 is not installed: run `edgeguard models pull yolox-nano-416`")
        return Finder("yolox-nano-416", self.clock)

    def slow(self) -> Finder:
        """A model whose engine is built while it is opened."""
        self.beats_ns.append(self.thread.beat_ns)
        self.clock.advance(200)
        return self.wanted()

    def watch(self, camera: str, labels: tuple[str, ...]) -> Watch:
        self.watched.append((camera, labels))
        return Watch(self, [self.Notice()])

    def update(self, _detections: Detections, frame: Frame) -> Tracks:
        return tracks(frame.pts_ns / 1e9)

    class Notice:
        """A rule that always notices something."""

        def update(self, tracks: Tracks) -> list[Observation]:
            return [seen(tracks.pts_ns / 1e9)]

    def look(self, **fields: Any) -> list[Observation]:
        self.frames.put(grey(**fields))
        self.stage.step()
        return self.observations.get_all(0)


def test_an_observation_gets_its_frame_and_the_times_of_its_way() -> None:
    bench = Bench()
    bench.stage.open()
    bench.clock.advance(5)
    (noticed,) = bench.look(sequence=12, pts_ns=4_900_000_000)
    stages = noticed.stages
    assert noticed.sequence == 12
    assert stages.arrived_ns == 4_900_000_000
    assert (stages.infer_start_ns, stages.infer_end_ns) == (5_000_000_000, 5_100_000_000)
    assert stages.ruled_ns == 5_100_000_000
    view = bench.shelf.find("gate", 12, 0)
    assert view is not None
    assert view.frame.sequence == 12


def test_a_frame_makes_the_stage_busy_until_it_is_dealt_with() -> None:
    bench = Bench()
    bench.stage.open()
    bench.look()
    assert not bench.stage.idle
    bench.stage.step()
    assert bench.stage.idle
    assert bench.board.part("vision").state is State.OK


def test_each_camera_has_its_own_tracker_and_keeps_it() -> None:
    bench = Bench()
    bench.stage.open()
    for source in ("gate", "dock", "gate", "dock"):
        bench.look(source=source)
    assert bench.watched == [("gate", ("person",)), ("dock", ("person",))]
    assert {name: model.name for name, model in bench.stage.models().items()} == {
        "gate": "yolox-nano-416",
        "dock": "yolox-nano-416",
    }


def test_without_its_model_the_fallback_stands_in_and_health_says_why() -> None:
    bench = Bench(model=False)
    bench.stage.open()
    assert len(bench.look()) == 1
    assert bench.part.state is State.DEGRADED
    assert bench.part.reason == (
        "using motion instead: yolox-nano-416 is not installed: run `edgeguard models pull yolox-nano-416`"
    )
    assert bench.part.report()["model"] == "motion"


def test_a_model_that_appears_is_used_without_a_restart() -> None:
    bench = Bench(model=False)
    bench.stage.open()
    bench.look()
    bench.model = True
    bench.clock.advance(59)
    bench.look()
    assert bench.part.state is State.DEGRADED
    bench.clock.advance(2)
    bench.look()
    assert bench.part.state is State.OK
    assert bench.part.report()["model"] == "yolox-nano-416"
    assert bench.watched == [("gate", ("motion",)), ("gate", ("person",))], "rules are for the new classes"


def test_a_model_that_stays_away_is_asked_for_once_a_minute() -> None:
    bench = Bench(model=False)
    bench.stage.open()
    for _ in range(300):
        bench.clock.advance(1)
        bench.stage.step()
    assert bench.asked == 1 + 5


def test_without_model_and_fallback_the_camera_is_blind_and_says_so() -> None:
    bench = Bench(model=False, fallback=False)
    bench.stage.open()
    assert (bench.part.state, bench.look()) == (State.DEGRADED, [])
    assert "models pull" in str(bench.part.reason)
    bench.model = True
    bench.clock.advance(61)
    assert bench.look()
    assert bench.part.state is State.OK


def test_who_loads_a_model_between_two_pictures_may_take_as_long_as_at_the_start() -> None:
    bench = Bench(model=False)
    bench.stage.open()
    bench.look()
    assert bench.stage.step_s == 0
    bench.clock.advance(60)
    bench.model = True
    bench.look()
    assert bench.asked == 2
    assert bench.stage.step_s == bench.stage.open_s, "until the thread has said that the step is over"
    bench.look()
    assert bench.stage.step_s == 0


def test_each_of_several_models_may_take_its_time() -> None:
    bench = Bench()
    (sight,) = bench.stage._sights
    eyes = [replace(sight.eye, cameras=frozenset({name}), wanted=bench.slow) for name in ("gate", "dock")]
    stage = VisionStage(
        *(bench.frames, bench.observations, eyes, bench.watch, bench.shelf),
        *(bench.board.part("vision"), bench.clock),
    )
    bench.thread = StageThread(stage, bench.part, bench.clock)
    stage.open()
    assert bench.clock.monotonic_ns() == 400 * 10**9
    assert bench.beats_ns == [0, 200 * 10**9], "a sign of life after each"


def test_closing_forgets_and_opening_loads_again() -> None:
    bench = Bench()
    bench.stage.open()
    bench.look()
    bench.stage.close()
    assert set(bench.stage.models()) == {"gate", "dock"}, "for the last words of the alerts it began"
    bench.stage.open()
    bench.look()
    assert bench.asked == 2
    assert len(bench.watched) == 2


def test_an_eye_counts_what_it_has_looked_at() -> None:
    bench = Bench()
    sight = Sight(bench.stage._sights[0].eye, bench.watch, bench.clock, lambda frame: frame)
    sight.open()
    for _ in range(3):
        sight.detect([grey()])
    assert bench.part.report()["rate_per_s"] == pytest.approx(10.0)
    assert np.array_equal(sight.detect([grey()])[0].xyxy, np.zeros((0, 4)))


def test_a_picture_that_breaks_a_rule_is_its_cameras_trouble_alone() -> None:
    bench = Bench()
    bench.stage.open()
    bench.look(source="gate")
    working = Bench.Notice.update

    def broken(_self: object, _tracks: Tracks) -> list[Observation]:
        raise ZeroDivisionError("oops")

    Bench.Notice.update = broken  # type: ignore[method-assign]
    try:
        assert bench.look(source="gate") == []
    finally:
        Bench.Notice.update = working  # type: ignore[method-assign]
    vision_part = bench.board.part("vision")
    assert (vision_part.state, vision_part.reason) == (State.DEGRADED, "camera gate: oops")
    assert bench.look(source="dock")
    assert bench.look(source="gate")
    assert vision_part.state is State.OK
    assert bench.asked == 1, "no model was loaded again"


def test_a_detector_that_stands_in_for_an_engine_is_degraded_until_the_engine_is_there() -> None:
    bench = Bench()
    bench.lacking = "building the engine of yolox-nano-416"
    bench.stage.open()
    assert (bench.part.state, bench.part.reason) == (State.DEGRADED, "building the engine of yolox-nano-416")
    first = bench.stage._sights[0].detector
    bench.lacking = "no engine of yolox-nano-416 serves here"
    bench.clock.advance(61)
    bench.stage.step()
    assert bench.part.reason == "no engine of yolox-nano-416 serves here"
    assert bench.asked == 1, "the detector at work is left alone meanwhile"
    bench.lacking = None
    bench.clock.advance(61)
    bench.stage.step()
    assert bench.part.state is State.OK
    assert bench.asked == 2
    assert first.closed
    bench.clock.advance(1000)
    bench.stage.step()
    assert bench.asked == 2


class Batches(Finder):
    """A detector that takes four pictures at once, and notes which came together."""

    max_batch = 4
    broken = ""

    def __init__(self, name: str, clock: ManualClock) -> None:
        super().__init__(name, clock)
        self.seen: list[list[str]] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.seen.append([frame.source for frame in frames])
        if self.broken in self.seen[-1]:
            raise ValueError("cannot read it")
        return super().detect(frames)


def batching(monkeypatch: pytest.MonkeyPatch) -> tuple[Bench, Batches]:
    bench = Bench()
    detector = Batches("yolox-nano-416", bench.clock)
    monkeypatch.setattr(bench, "wanted", lambda: detector)
    eye = replace(bench.stage._sights[0].eye, wanted=lambda: detector)
    bench.stage = VisionStage(
        bench.frames,
        bench.observations,
        [eye],
        bench.watch,
        bench.shelf,
        bench.board.part("vision"),
        bench.clock,
        to_host=lambda frame: replace(frame, memory=Memory.HOST, hold=None),
        patience_s=0.001,
    )
    bench.stage.open()
    return bench, detector


def test_cameras_share_a_batch_and_each_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, detector = batching(monkeypatch)
    for sequence, source in enumerate(["gate", "dock", "gate", "dock", "gate"]):
        bench.frames.put(grey(source=source, sequence=sequence, pts_ns=sequence))
    bench.stage.step()
    bench.stage.step()
    assert detector.seen == [["gate", "dock", "gate", "dock"], ["gate"]]
    assert [seen.sequence for seen in bench.observations.get_all(0)] == [0, 1, 2, 3, 4]


def test_a_batch_that_fails_is_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, detector = batching(monkeypatch)
    detector.broken = "dock"
    for source in ("gate", "dock", "gate"):
        bench.frames.put(grey(source=source))
    bench.stage.step()
    assert detector.seen == [["gate", "dock", "gate"], ["gate"], ["dock"], ["gate"]]
    assert len(bench.observations.get_all(0)) == 2
    assert bench.board.part("vision").reason == "camera dock: cannot read it"


def test_a_decoders_buffer_goes_back_and_evidence_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = batching(monkeypatch)
    frames = [replace(grey(sequence=number), memory=Memory.CUDA_PITCH, hold=Held()) for number in range(2)]
    bench.frames.put(frames[0])
    bench.stage.step()
    view = bench.shelf.find("gate", 0, 0)
    assert view is not None
    assert view.frame.memory is Memory.HOST
    monkeypatch.setattr(Bench.Notice, "update", lambda *_: [])
    bench.frames.put(frames[1])
    bench.stage.step()
    newest = bench.shelf.find("gate", None, 0)
    assert newest is not None
    assert newest.frame.sequence == 0, "nothing was noticed, so nothing was copied"
    assert [frame.hold.released for frame in frames if isinstance(frame.hold, Held)] == [1, 1]


@pytest.mark.parametrize("error", [ModelError("cuMemcpy2D_v2 failed"), GpuLostError("the GPU is lost")])
def test_a_picture_that_cannot_be_copied_costs_no_alert(
    monkeypatch: pytest.MonkeyPatch, error: ModelError
) -> None:
    bench, _ = batching(monkeypatch)

    def fail(_frame: Frame) -> Frame:
        raise error

    monkeypatch.setattr(bench.stage, "_to_host", fail)
    frame = replace(grey(), memory=Memory.CUDA_PITCH, hold=Held())
    bench.frames.put(frame)
    with pytest.raises(GpuLostError) if isinstance(error, GpuLostError) else nullcontext():
        bench.stage.step()
    assert len(bench.observations.get_all(0)) == 1
    assert isinstance(frame.hold, Held)
    assert frame.hold.released == 1
    if not isinstance(error, GpuLostError):
        told = bench.board.part("vision")
        assert told.state is State.DEGRADED
        assert "a picture for evidence could not be copied" in (told.reason or "")


def test_beside_a_microphone_a_picture_on_the_gpu_is_copied_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, _ = batching(monkeypatch)
    bench.stage._shelf = bench.shelf = Shelf(beside=["gate"])
    monkeypatch.setattr(Bench.Notice, "update", lambda *_: [])
    copied = []
    for number in range(41):
        for source in ("gate", "dock"):
            pts_ns = number * 200_000_000
            taken = grey(source=source, sequence=number, pts_ns=pts_ns)
            bench.frames.put(replace(taken, memory=Memory.CUDA_PITCH, hold=Held()))
        bench.stage.step()
        view = bench.shelf.find("gate", None, number * 200_000_000)
        assert view is not None, "what is heard now has a picture"
        copied.append(view.frame.sequence)
        assert bench.shelf.find("dock", None, number * 200_000_000) is None
    assert sorted(set(copied)) == [0, 10, 20, 30, 40], "every two seconds"


def test_how_much_moves_is_told_from_a_small_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, detector = batching(monkeypatch)
    detector.takes_device_frames = True  # type: ignore[attr-defined]
    small: list[int] = []

    def to_small(frame: Frame) -> Frame:
        small.append(frame.sequence)
        return replace(frame, memory=Memory.HOST, hold=None)

    bench.stage = VisionStage(
        bench.frames,
        bench.observations,
        [bench.stage._sights[0].eye],
        bench.watch,
        bench.shelf,
        bench.board.part("vision"),
        bench.clock,
        to_host=lambda _frame: pytest.fail("the whole picture was copied"),
        syncing=Syncing([Pair("gate", "mic", SyncCheck("gate", "mic", 500), bench.board.part("mic"))]),
        to_small=to_small,
    )
    bench.stage.open()
    monkeypatch.setattr(Bench.Notice, "update", lambda *_: [])
    for number in range(3):
        bench.frames.put(replace(grey(sequence=number), memory=Memory.CUDA_PITCH, hold=Held()))
        bench.stage.step()
    assert small == [0, 1, 2]


def test_a_detector_on_the_cpu_gets_copies_of_what_lies_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, detector = batching(monkeypatch)
    given: list[Memory] = []
    inner = detector.detect

    def detect(frames: Sequence[Frame]) -> list[Detections]:
        given.extend(frame.memory for frame in frames)
        return inner(frames)

    monkeypatch.setattr(detector, "detect", detect)
    for on_device in (False, True):
        detector.takes_device_frames = on_device  # type: ignore[attr-defined]
        bench.frames.put(replace(grey(), memory=Memory.CUDA_PITCH, hold=Held()))
        bench.stage.step()
    assert given == [Memory.HOST, Memory.CUDA_PITCH]


def test_an_overloaded_stage_asks_the_cameras_for_less() -> None:
    bench = Bench()
    pacer = Pacer({"gate": Wish(10, 2, 1)}, bench.clock)
    bench.stage._pacer = pacer
    bench.stage.open()
    for _ in range(40):  # each picture takes all the time there is
        bench.look()
    assert pacer.counters("gate")["analyse_fps"] < 10
    for _ in range(80):
        bench.clock.advance(1)
        bench.look()
    assert pacer.counters("gate")["analyse_fps"] == 10


def test_a_site_without_cameras_has_nothing_to_look_at_and_no_trouble() -> None:
    bench = Bench()
    stage = VisionStage(
        bench.frames,
        bench.observations,
        [],
        bench.watch,
        bench.shelf,
        bench.board.part("vision"),
        bench.clock,
    )
    stage.open()
    stage.step()
    assert bench.board.part("vision").state is State.OK
