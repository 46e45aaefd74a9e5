from __future__ import annotations

from collections.abc import Iterator

import pytest

from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.models.engines.trt import TensorRt
from tests.support.gpu import VERSIONS, FakeGpu, fake_tensorrt


@pytest.fixture
def gpu() -> FakeGpu:
    return FakeGpu()


@pytest.fixture
def cuda(gpu: FakeGpu) -> Iterator[CtypesCuda]:
    """A driver that must have given everything back when the test ends."""
    before = gpu.blocks, gpu.retained  # a daemon of another test may have kept the context
    driver = CtypesCuda(gpu.libcuda)
    gpu.clear()
    yield driver
    gpu.clear()
    driver.close()
    assert (gpu.blocks, gpu.retained) == before, "something was not given back"


@pytest.fixture(params=VERSIONS)
def tensorrt(request: pytest.FixtureRequest, gpu: FakeGpu) -> Iterator[TensorRt]:
    with fake_tensorrt(request.param) as module:
        yield TensorRt(module)
