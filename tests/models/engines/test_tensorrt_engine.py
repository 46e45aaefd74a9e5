from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest

from edgeguard.cuda.driver import GpuLostError
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt
from edgeguard.models.session import DeviceEngine
from edgeguard.types import ModelRef
from tests.models.engines.plans import plan_of
from tests.models.graphs import model, node, quantised
from tests.models.onnx_bytes import adder
from tests.support.gpu import FakeGpu, fake_tensorrt

REF = ModelRef("adder", None, "tensorrt")
ADDER = onnx.load_model_from_string(adder(["batch", 3]))
SLOT_BYTES = 3 * 4


@pytest.fixture
def engine(tensorrt: TensorRt, cuda: CtypesCuda) -> Iterator[TensorRtEngine]:
    engine = TensorRtEngine(plan_of(tensorrt, ADDER), REF, tensorrt, cuda)
    yield engine
    engine.close()


def test_prepares_everything_once_and_then_only_copies_and_launches(engine: Any, gpu: FakeGpu) -> None:
    prepared = gpu.ledger
    assert prepared.count("stream non-blocking") == 1
    assert [line for line in prepared if line.startswith("allocate pinned")] == ["allocate pinned 96"] * 2
    assert prepared.count("capture") == 4, "one graph each for 1, 2, 4 and 8 pictures"
    for batch in (1, 2, 3, 8):
        gpu.clear()
        engine.run(batch)
        assert gpu.ledger == [f"copy in {batch * SLOT_BYTES}", "launch", "synchronise"]


def test_a_graph_holds_the_kernels_and_the_way_back(gpu: FakeGpu, engine: Any) -> None:
    ledger = gpu.ledger
    first = ledger.index("capture")
    assert ledger[first : first + 4] == ["capture", "kernel captured", "copy out 12", "instantiate 2"]
    assert ledger.index("kernel") < first, "it ran once uncaptured before"


def test_pictures_that_are_on_the_device_are_not_copied(engine: Any, gpu: FakeGpu) -> None:
    assert isinstance(engine, DeviceEngine)
    assert engine.input_slot("x", 3) - engine.input_slot("x", 0) == 3 * engine.slots["x"][0].nbytes
    engine.slots["x"][0] = 5
    engine.run(1)
    engine.slots["x"][0] = 7
    gpu.clear()
    np.testing.assert_array_equal(engine.run(1, on_device=True)["y"], [[6, 7, 8]])
    assert gpu.ledger == ["launch", "synchronise"]


def test_one_slot_is_brought_there_beside_others(engine: Any, gpu: FakeGpu) -> None:
    engine.slots["x"][:2] = [[1, 1, 1], [2, 2, 2]]
    engine.run(2)
    engine.slots["x"][:2] = [[5, 5, 5], [7, 7, 7]]
    gpu.clear()
    with engine.cuda.current():
        assert engine.upload("x", 1) == 12
    np.testing.assert_array_equal(engine.run(2, on_device=True)["y"], [[2, 3, 4], [8, 9, 10]])
    assert gpu.ledger == ["copy in 12", "launch", "synchronise"]


def test_what_cannot_be_captured_runs_without_a_graph(
    tensorrt: TensorRt, cuda: CtypesCuda, gpu: FakeGpu
) -> None:
    plan = plan_of(tensorrt, onnx.load_model_from_string(adder([1, 3])))
    gpu.fail("cuStreamEndCapture", 901)
    engine = TensorRtEngine(plan, REF, tensorrt, cuda)
    gpu.clear()
    np.testing.assert_array_equal(engine.run(1)["y"], [[1, 2, 3]])
    assert gpu.ledger == ["copy in 12", "kernel", "copy out 12", "synchronise"]
    engine.close()


def test_another_thread_may_run_it(engine: Any) -> None:
    engine.slots["x"][0] = 1
    found = []
    thread = threading.Thread(target=lambda: found.append(engine.run(1)["y"].tolist()))
    thread.start()
    thread.join()
    assert found == [[[2, 3, 4]]]


def test_runs_a_quantised_network(tensorrt: TensorRt, cuda: CtypesCuda) -> None:
    engine = TensorRtEngine(plan_of(tensorrt, quantised(), 2), REF, tensorrt, cuda)
    assert engine.max_batch == 2
    assert dict(engine.outputs) == {"y": ("batch", 8, 16, 16)}
    engine.slots["x"][:] = 1
    assert engine.run(2)["y"].max() > 0
    engine.close()


CALLS = ("cuStreamCreate", "cuMemAlloc_v2", "cuMemHostAlloc", "cuMemcpyHtoDAsync_v2", "cuStreamSynchronize",
         "cuMemcpyDtoHAsync_v2")  # fmt: skip


@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize("call", CALLS)
def test_whatever_fails_at_the_start_leaves_nothing_behind(
    tensorrt: TensorRt, cuda: CtypesCuda, gpu: FakeGpu, call: str, skip: int
) -> None:
    """The fixture `cuda` counts what was not given back."""
    gpu.fail(call, 2, skip)
    try:
        TensorRtEngine(plan_of(tensorrt, ADDER), REF, tensorrt, cuda).close()
    except ModelError as error:
        assert call in str(error) or "adder" in str(error)  # noqa: PT017
    else:
        assert skip > 0, "some calls are made once or twice only"


def test_a_lost_gpu_is_told_apart(engine: Any, cuda: CtypesCuda, gpu: FakeGpu) -> None:
    gpu.fail("cuStreamSynchronize", 700)
    with pytest.raises(GpuLostError, match=r"until the service restarts.*FAKE_ERROR_700"):
        engine.run(1)
    assert cuda.lost is not None


def test_a_call_that_fails_once_loses_nothing(engine: Any, cuda: CtypesCuda, gpu: FakeGpu) -> None:
    gpu.fail("cuGraphLaunch", 2)
    with pytest.raises(ModelError, match="cuGraphLaunch failed"):
        engine.run(1)
    assert cuda.lost is None
    np.testing.assert_array_equal(engine.run(1)["y"], [[1, 2, 3]])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda plan: b"", "adder.*edgeguard engines build"),
        (lambda plan: b"garbage" + plan, "Magic tag"),
        (lambda plan: plan.replace(b'"sm": 87', b'"sm": 86'), "incompatible device"),
        (lambda plan: plan.replace(b'"version": "1', b'"version": "9'), "not compatible with this version"),
    ],
    ids=["empty", "garbage", "other GPU", "other TensorRT"],
)
def test_a_plan_that_tensorrt_refuses(tensorrt: TensorRt, cuda: CtypesCuda, spoil: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        TensorRtEngine(spoil(plan_of(tensorrt, ADDER)), REF, tensorrt, cuda)


def test_an_output_of_any_size_is_refused(tensorrt: TensorRt, cuda: CtypesCuda) -> None:
    free = model([node("NonZero", ["x"], "n"), node("Cast", ["n"], "y", to=1)], [], output=["rank", "found"])
    with pytest.raises(ModelError, match=r"size of tensor y.*not fixed"):
        TensorRtEngine(plan_of(tensorrt, free), REF, tensorrt, cuda)


def test_takes_what_the_profile_takes(tensorrt: TensorRt, cuda: CtypesCuda) -> None:
    engine = TensorRtEngine(plan_of(tensorrt, ADDER, 3), REF, tensorrt, cuda)
    assert engine.max_batch == 3
    engine.slots["x"][:] = [[1], [2], [3]]
    np.testing.assert_array_equal(engine.run(3)["y"][:, 0], [2, 3, 4])
    with pytest.raises(ModelError, match="at most 3"):
        engine.infer({"x": np.zeros((4, 3), np.float32)})
    engine.close()


def test_refuses_another_type(engine: Any) -> None:
    with pytest.raises(ModelError, match="x is float64"):
        engine.infer({"x": np.zeros((1, 3))})


def test_the_two_surfaces_differ_as_the_real_ones_do() -> None:
    with fake_tensorrt("v10") as old:
        before = TensorRt(old)
        assert (before.weakly_typed, before.network_flags()) == (True, 1)
    with fake_tensorrt("v11") as new:
        after = TensorRt(new)
        assert (after.weakly_typed, after.network_flags()) == (False, 0)
    assert old.BuilderFlag.VERSION_COMPATIBLE.value != new.BuilderFlag.VERSION_COMPATIBLE.value
