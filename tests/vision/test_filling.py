"""Frames on the GPU and frames of the host in one batch, on the fakes of the driver and of TensorRT."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeguard.cuda.ledger import Crossings, Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from edgeguard.models import InputSpec
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt
from edgeguard.types import Colour, Detections, Frame, Memory, ModelRef, PixelFormat
from edgeguard.vision.compact import CompactDetector
from tests.models.engines.conftest import cuda, gpu, tensorrt
from tests.models.engines.plans import plan_of
from tests.support.gpu import FakeGpu
from tests.support.kernel import Held, cpu_cubins, on_device
from tests.support.pictures import noise

__all__ = ["cuda", "gpu", "tensorrt"]
SIDE = 32
SPEC = InputSpec(
    tensor="x", width_px=SIDE, height_px=SIDE, mode="stretch", mean=(0, 0, 0), std=(255, 255, 255)
)


def brightness() -> onnx.ModelProto:
    """A network of one box whose confidence is the mean of its slot."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Reshape", ["mean", "shape"], ["confidence"]),
        helper.make_node("Mul", ["confidence", "mask"], ["masked"]),
        helper.make_node("Add", ["masked", "box"], ["y"]),
    ]
    constants = [
        helper.make_tensor("shape", TensorProto.INT64, [3], [-1, 1, 1]),
        helper.make_tensor("mask", TensorProto.FLOAT, [1, 1, 6], [0, 0, 0, 0, 1, 0]),
        helper.make_tensor("box", TensorProto.FLOAT, [1, 1, 6], [4, 8, 16, 24, 0, 0]),
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1, 6])
    graph = helper.make_graph(nodes, "brightness", [given], [made], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def detector(
    tensorrt: TensorRt, cuda: CtypesCuda, tmp_path: Path, ledger: Ledger
) -> Iterator[CompactDetector]:
    ref = ModelRef("brightness", None, "tensorrt")
    engine = TensorRtEngine(plan_of(tensorrt, brightness()), ref, tensorrt, cuda)
    detector = CompactDetector(engine, ("thing",), 0.0, spec=SPEC)
    assert not detector.takes_device_frames
    detector.fill_on_device(cpu_cubins(tmp_path), ledger)
    assert detector.takes_device_frames
    yield detector
    detector.close()


def pictures(count: int) -> list[Frame]:
    return [noise(64, 48, PixelFormat.NV12, Colour.BT601_LIMITED, seed=seed) for seed in range(count)]


def confidences(found: list[Detections]) -> list[float]:
    return [float(one.confidence[0]) for one in found]


@pytest.mark.parametrize("memory", [Memory.CUDA_PITCH, Memory.CUDA_ARRAY], ids=str)
def test_a_batch_on_the_gpu_crosses_no_byte(
    detector: CompactDetector, gpu: FakeGpu, ledger: Ledger, memory: Memory
) -> None:
    on_host = pictures(3)
    expected = confidences([detector.detect([one])[0] for one in on_host])
    before = ledger.read()
    with ExitStack() as stack:
        frames = [stack.enter_context(on_device(one, memory)) for one in on_host]
        gpu.clear()
        found = detector.detect(frames)
    assert gpu.ledger == ["run letterbox"] * 3 + ["launch", "synchronise"]
    assert confidences(found) == pytest.approx(expected, abs=0.01)
    np.testing.assert_allclose(found[0].xyxy, [[8, 12, 32, 36]])
    after = ledger.read()
    assert (after.h2d_bytes - before.h2d_bytes, after.d2h_bytes, after.frames) == (0, 0, 6)


def test_only_pictures_on_the_gpu_leave_the_ledger_at_zero(detector: CompactDetector, ledger: Ledger) -> None:
    with on_device(pictures(1)[0]) as frame:
        for _ in range(20):
            detector.detect([frame, frame])
    assert ledger.read().is_zero_copy
    assert ledger.read() == Crossings(frames=40)


def test_a_mixed_batch_copies_what_lies_on_the_host(
    detector: CompactDetector, gpu: FakeGpu, ledger: Ledger
) -> None:
    first, second = pictures(2)
    expected = confidences([detector.detect([one])[0] for one in (first, second)])
    with on_device(second) as frame:
        gpu.clear()
        found = detector.detect([first, frame])
    assert gpu.ledger == [f"copy in {12 * SIDE * SIDE}", "run letterbox", "launch", "synchronise"]
    assert confidences(found) == pytest.approx(expected, abs=0.01)
    assert ledger.read().h2d_bytes == 3 * 12 * SIDE * SIDE


def test_a_buffer_goes_back_after_a_failure_only_once_no_kernel_reads_it(
    detector: CompactDetector, gpu: FakeGpu, cuda: CtypesCuda
) -> None:
    with on_device(pictures(1)[0]) as frame:
        gpu.fail("cuGraphLaunch", 2)
        with pytest.raises(ModelError, match="cuGraphLaunch"):
            detector.detect([frame])
        assert isinstance(frame.hold, Held)
        assert frame.hold.released == 0
        (stream,) = frame.hold.streams
        with cuda.current():
            cuda.synchronise(stream)
        assert len(detector.detect([frame])) == 1


def test_without_its_kernel_the_detector_works_as_before(
    tensorrt: TensorRt, cuda: CtypesCuda, gpu: FakeGpu, tmp_path: Path, ledger: Ledger
) -> None:
    engine = TensorRtEngine(plan_of(tensorrt, brightness()), ModelRef("b", None, "t"), tensorrt, cuda)
    detector = CompactDetector(engine, ("thing",), 0.0, spec=SPEC)
    gpu.fail("cuModuleLoadData", 209)
    with pytest.raises(ModelError, match="cuModuleLoadData"):
        detector.fill_on_device(cpu_cubins(tmp_path), ledger)
    assert not detector.takes_device_frames
    assert len(detector.detect(pictures(1))) == 1
    detector.close()


def test_a_batch_of_the_host_is_copied_at_once(
    detector: CompactDetector, gpu: FakeGpu, ledger: Ledger
) -> None:
    gpu.clear()
    detector.detect(pictures(3))
    assert gpu.ledger == [f"copy in {3 * 12 * SIDE * SIDE}", "launch", "synchronise"]
    assert ledger.read() == Crossings(frames=3, h2d_bytes=3 * 12 * SIDE * SIDE)
