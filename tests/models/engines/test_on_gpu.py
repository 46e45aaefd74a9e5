"""On a real GPU, where there is one: compiled, run, and compared with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeguard.errors import UnavailableError
from edgeguard.models import OnnxSession
from edgeguard.models.engines.compiler import compile_plan
from edgeguard.models.engines.order import Order, Precision
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.workshop import Machine, open_machine
from edgeguard.types import ModelRef
from tests.models.engines.exports import GOOD_SCALE, detector, frames
from tests.models.graphs import saved

pytestmark = pytest.mark.gpu
NODES = ("/dev/nvidiactl", "/dev/nvmap", "/dev/dxg")
"""One of these is there wherever a driver is. A fake driver that another test loaded has none."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    if not any(Path(node).exists() for node in NODES):
        pytest.skip(f"no GPU to run engines on: none of {', '.join(NODES)} is there")
    try:
        machine = open_machine()
    except UnavailableError as error:
        pytest.skip(f"no GPU to run engines on: {error}")
    yield machine
    machine.cuda.close()


@pytest.mark.parametrize(
    ("graph", "precision", "within"),
    [
        (detector(), Precision.FP32, 1e-3),
        (detector(), Precision.FP16, 0.5),
        (detector(GOOD_SCALE), Precision.INT8, 2.0),
    ],
    ids=["fp32", "fp16", "int8"],
)
def test_says_what_onnx_runtime_says(
    tmp_path: Path, machine: Machine, graph: onnx.ModelProto, precision: Precision, within: float
) -> None:
    path = saved(graph, tmp_path)
    order = Order(str(path), precision, "", best_batch=2)
    plan, _ = compile_plan(order, machine.tensorrt, lambda *_: None)
    engine = TensorRtEngine(plan, ModelRef("small", None, "tensorrt"), machine.tensorrt, machine.cuda)
    reference = OnnxSession(path, "small")
    pictures = frames().transpose(0, 3, 1, 2).astype(np.float32)
    try:
        for batch in (1, 2, 5, 6):
            engine.slots["images"][:batch] = pictures[:batch]
            expected = reference.infer({"images": pictures[:batch]})["detections"]
            np.testing.assert_allclose(engine.run(batch)["detections"], expected, atol=within)
    finally:
        engine.close()
