"""The binding of a Jetson: the same engine, the same calls of the driver, the same errors."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import numpy as np
import onnx
import pytest

from edgeguard.cuda.driver import GpuLostError
from edgeguard.cuda.with_pycuda import PycudaCuda
from edgeguard.errors import DependencyError, ModelError
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt
from edgeguard.types import ModelRef
from tests.models.engines.plans import plan_of
from tests.models.onnx_bytes import adder
from tests.support.gpu import HERE, FakeGpu

ADDER = onnx.load_model_from_string(adder(["batch", 3]))
REF = ModelRef("adder", None, "tensorrt")


@pytest.fixture
def retained(gpu: FakeGpu) -> int:
    """How often the context is retained already: a daemon of another test may have kept it."""
    return gpu.retained


@pytest.fixture
def pycuda(gpu: FakeGpu, retained: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[PycudaCuda]:
    monkeypatch.syspath_prepend(str(HERE / "fake_pycuda"))
    blocks = gpu.blocks
    driver = PycudaCuda(gpu.libcuda)
    yield driver
    gpu.clear()
    gc.collect()  # a traceback may still hold a stream
    driver.close()
    assert (gpu.blocks, gpu.retained) == (blocks, retained), "something was not given back"
    for name in ("pycuda", "pycuda.driver"):
        sys.modules.pop(name, None)


@pytest.fixture
def engine(tensorrt: TensorRt, pycuda: PycudaCuda) -> Iterator[TensorRtEngine]:
    engine = TensorRtEngine(plan_of(tensorrt, ADDER), REF, tensorrt, pycuda)
    yield engine
    engine.close()


def test_runs_an_engine_with_one_copy_one_launch_one_wait(engine: TensorRtEngine, gpu: FakeGpu) -> None:
    assert gpu.ledger.count("capture") == 4
    for batch in (1, 3, 8):
        engine.slots["x"][:batch] = np.arange(3 * batch).reshape(batch, 3)
        gpu.clear()
        found = engine.run(batch)["y"]
        np.testing.assert_array_equal(found, engine.slots["x"][:batch] + np.float32([1, 2, 3]))
        assert gpu.ledger == [f"copy in {12 * batch}", "launch", "synchronise"]


def test_uses_the_primary_context_and_describes_the_gpu(
    pycuda: PycudaCuda, gpu: FakeGpu, retained: int
) -> None:
    assert pycuda.binding == "pycuda"
    assert pycuda.gpu.name == "Fake Orin"
    assert gpu.retained == retained + 1


def test_an_error_is_a_sentence(pycuda: PycudaCuda) -> None:
    with pytest.raises(ModelError, match="pycuda could not allocate memory: cuMemAlloc failed"):
        pycuda.allocate(16)
    assert pycuda.lost is None


def test_asks_the_context_whether_the_gpu_is_lost(engine: TensorRtEngine, gpu: FakeGpu) -> None:
    """pycuda's errors carry no code."""
    gpu.fail("cuStreamSynchronize", 700)
    gpu.fail_next("cuCtxSynchronize", 700)
    with pytest.raises(GpuLostError, match="until the service restarts"):
        engine.run(1)


@pytest.mark.parametrize(
    "call", ["cuStreamCreate", "cuMemAlloc_v2", "cuMemHostAlloc", "cuMemcpyHtoDAsync_v2"]
)
def test_whatever_fails_at_the_start_leaves_nothing_behind(
    tensorrt: TensorRt, pycuda: PycudaCuda, gpu: FakeGpu, call: str
) -> None:
    gpu.fail(call, 2)
    with pytest.raises(ModelError):
        TensorRtEngine(plan_of(tensorrt, ADDER), REF, tensorrt, pycuda)


def test_without_pycuda_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycuda", None)
    with pytest.raises(DependencyError, match="pip install pycuda"):
        PycudaCuda()
