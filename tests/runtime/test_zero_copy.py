"""From a decoder's buffers to observations without a byte on the host, on the fakes of a Jetson."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeguard.capture.surfaces import NvmmFrames
from edgeguard.capture.surfaces.download import Download
from edgeguard.clock import ManualClock
from edgeguard.cuda.ledger import Crossings, Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt
from edgeguard.runtime import vision
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.sight import Eye, Watch
from edgeguard.runtime.vision import VisionStage
from edgeguard.types import Detections, Frame, Memory, ModelRef, Observation, Tracks
from edgeguard.vision.compact import CompactDetector
from tests.capture.surfaces.conftest import cuda, frames, gpu, jetson, ledger, make_frames, stamp
from tests.models.engines.conftest import tensorrt
from tests.models.engines.plans import plan_of
from tests.support.alerts import seen
from tests.support.gpu import FakeGpu
from tests.support.kernel import cpu_cubins
from tests.support.surfaces import FakeJetson, SurfaceSpec, noise, sample_of
from tests.support.tracks import tracks
from tests.vision.test_filling import SPEC, brightness

__all__ = ["cuda", "frames", "gpu", "jetson", "ledger", "make_frames", "tensorrt"]
POOL, ROUNDS = 11, 60
CAMERAS = ("dock", "gate")


class Follower:
    """A tracker that notes what it was given."""

    def __init__(self) -> None:
        self.sequences: list[int] = []

    def update(self, detections: Detections, frame: Frame) -> Tracks:
        assert len(detections) == 1
        self.sequences.append(frame.sequence)
        return tracks(frame.sequence)


class AtTheEnd:
    """A rule that notices something in the last picture."""

    def update(self, tracks: Tracks) -> list[Observation]:
        return [seen(0)] if tracks.pts_ns == (ROUNDS - 1) * 10**9 else []


@pytest.fixture
def moved() -> Ledger:
    """What the vision thread moves."""
    return Ledger()


@pytest.fixture
def detector(tensorrt: TensorRt, cuda: CtypesCuda, tmp_path: Path, moved: Ledger) -> CompactDetector:
    engine = TensorRtEngine(plan_of(tensorrt, brightness()), ModelRef("b", None, "t"), tensorrt, cuda)
    detector = CompactDetector(engine, ("thing",), 0.0, spec=SPEC)
    detector.fill_on_device(cpu_cubins(tmp_path), moved)
    return detector


@pytest.mark.parametrize("block_linear", [True, False], ids=["textures", "pitch"])
def test_two_cameras_share_batches_and_nothing_crosses_until_something_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
    jetson: FakeJetson,
    frames: NvmmFrames,
    ledger: Ledger,
    moved: Ledger,
    detector: CompactDetector,
    cuda: CtypesCuda,
    gpu: FakeGpu,
    block_linear: bool,
) -> None:
    monkeypatch.setattr(vision, "STEP_S", 0.001)
    clock, shelf = ManualClock(), Shelf()
    board = HealthBoard(clock)
    waiting: Channel[Frame] = Channel(8, key=lambda frame: frame.source)
    told: Channel[Observation] = Channel(8)
    following = {name: Follower() for name in CAMERAS}
    stage = VisionStage(
        waiting,
        told,
        [Eye(frozenset(CAMERAS), lambda: detector, None, board.part("detector"))],
        lambda name, _labels: Watch(following[name], [AtTheEnd()]),
        shelf,
        board.part("vision"),
        clock,
        to_host=Download(cuda, moved).to_host,
        patience_s=0.01,
    )
    stage.open()
    pools = {
        name: [
            jetson.buffer(SurfaceSpec(noise(seed=fd), fd=fd, block_linear=block_linear))
            for fd in range(first, first + POOL)
        ]
        for name, first in zip(CAMERAS, (40, 80), strict=True)
    }
    gpu.clear()
    for number in range(ROUNDS):
        for name in CAMERAS:
            buffer = pools[name][number % POOL]
            frame = frames.frame(sample_of(buffer), replace(stamp(number), source=name))
            waiting.put(frame)
        stage.step()
    assert board.part("vision").state is State.OK
    for one in following.values():
        assert one.sequences == list(range(ROUNDS))
    assert gpu.ledger.count("run letterbox") == len(CAMERAS) * ROUNDS
    assert gpu.ledger.count("launch") == ROUNDS, "one run for both cameras"
    pictures = len(CAMERAS) * ROUNDS
    registered = len(CAMERAS) * POOL
    assert ledger.read() == Crossings(
        registrations=registered, hits=pictures - registered, frames=pictures
    ), "capture copied nothing"
    evidence = len(CAMERAS) * 64 * 32 * 3 // 2
    assert moved.read() == Crossings(frames=pictures, d2h_bytes=evidence), "the last pictures alone"
    view = shelf.find("gate", ROUNDS - 1, 0)
    assert view is not None
    assert view.frame.memory is Memory.HOST
    assert len(told.get_all(0)) == len(CAMERAS)
    stage.close()


def test_a_detector_may_end_while_a_decoders_buffer_waits_for_it(
    jetson: FakeJetson, frames: NvmmFrames, detector: CompactDetector, gpu: FakeGpu
) -> None:
    buffers = [jetson.buffer(SurfaceSpec(noise(seed=fd), fd=fd)) for fd in (40, 41)]
    frame = frames.frame(sample_of(buffers[0]), stamp(0))
    gpu.fail("cuGraphLaunch", 2)
    with pytest.raises(ModelError, match="cuGraphLaunch"):
        detector.detect([frame])
    detector.close()
    events = gpu.ledger.count("record")
    del frame, buffers[0]
    frames.frame(sample_of(buffers[0]), stamp(1))
    assert (events, jetson.living) == (1, 1), "the buffer has gone back"
