"""From a decoder's buffers to what a network says of them: no byte of a picture touches the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.capture.surfaces import Download, NvmmFrames
from edgeguard.capture.surfaces.abi import ColourFormat
from edgeguard.cuda.ledger import Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt
from edgeguard.types import ModelRef
from edgeguard.vision.compact import CompactDetector
from tests.capture.surfaces.conftest import stamp
from tests.models.engines.conftest import tensorrt
from tests.models.engines.plans import plan_of
from tests.support.gpu import FakeGpu
from tests.support.kernel import cpu_cubins
from tests.support.surfaces import FakeJetson, SurfaceSpec, noise, sample_of
from tests.vision.test_filling import SPEC, brightness

__all__ = ["tensorrt"]
POOL = 11


@pytest.fixture
def detector(
    tensorrt: TensorRt, cuda: CtypesCuda, tmp_path: Path, ledger: Ledger
) -> Iterator[CompactDetector]:
    engine = TensorRtEngine(
        plan_of(tensorrt, brightness()), ModelRef("brightness", None, "tensorrt"), tensorrt, cuda
    )
    detector = CompactDetector(engine, ("thing",), 0.0, spec=SPEC)
    detector.fill_on_device(cpu_cubins(tmp_path), ledger)
    yield detector
    detector.close()


@pytest.mark.parametrize("block_linear", [True, False])
def test_a_hundred_pictures_are_judged_where_they_lie(
    jetson: FakeJetson,
    frames: NvmmFrames,
    detector: CompactDetector,
    ledger: Ledger,
    gpu: FakeGpu,
    cuda: CtypesCuda,
    block_linear: bool,
) -> None:
    kind = {"block_linear": block_linear, "colour": ColourFormat.NV12}
    pool = [
        jetson.buffer(SurfaceSpec(noise(seed=fd), fd=40 + fd, **kind))  # type: ignore[arg-type]
        for fd in range(POOL)
    ]
    on_host = Download(cuda, Ledger()).to_host(frames.frame(sample_of(pool[0]), stamp()))
    expected = detector.detect([on_host])[0].confidence[0]
    before = ledger.read()
    gpu.clear()
    for number in range(50):
        pair = [frames.frame(sample_of(pool[(2 * number + i) % POOL]), stamp(number)) for i in (0, 1)]
        found = detector.detect(pair)
        if number == 0:
            assert found[0].confidence[0] == pytest.approx(expected, abs=0.01)
    after = ledger.read()
    assert not [line for line in gpu.ledger if "copy" in line]
    assert (after.h2d_bytes, after.d2h_bytes) == (before.h2d_bytes, 0)
    assert (after.registrations, after.hits - before.hits) == (POOL, 100 - (POOL - 1))
    assert jetson.registered == POOL
