"""What every session and every engine promises, asked of the real ones and of the fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from edgeguard.models import Engine, FakeSession, HostEngine, OnnxSession, Session
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt
from edgeguard.types import ModelRef
from tests.models.engines.plans import plan_of
from tests.models.onnx_bytes import adder
from tests.support.gpu import VERSIONS, FakeGpu, fake_tensorrt

ZERO = np.zeros((1, 3), np.float32)
MORE = np.array([1, 2, 3], np.float32)
BACKENDS = ("onnxruntime-cpu", "fake", "tensorrt")


class Adding(FakeSession):
    """The fake, told to say y = x + (1, 2, 3), whatever the batch."""

    def infer(self, feeds: Any) -> Any:
        super().infer(feeds)
        return {"y": feeds["x"] + MORE}


def make(kind: str, shape: list[int | str], folder: Path) -> Iterator[Session]:
    """A session that says y = x + (1, 2, 3)."""
    if kind == "onnx":
        path = folder / "adder.onnx"
        path.write_bytes(adder(shape))
        yield OnnxSession(path, "adder")
    elif kind == "fake":
        yield Adding({"x": tuple(shape)}, [{"y": ZERO}], name="adder")
    else:
        cuda = CtypesCuda(FakeGpu().libcuda)
        with fake_tensorrt(kind) as module:
            tensorrt = TensorRt(module)
            plan = plan_of(tensorrt, onnx.load_model_from_string(adder(shape)))
            engine = TensorRtEngine(plan, ModelRef("adder", None, "tensorrt"), tensorrt, cuda)
            yield engine
            engine.close()
        cuda.close()


@pytest.fixture(params=["onnx", "fake", *VERSIONS])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    """Takes (1, 3)."""
    yield from make(request.param, [1, 3], tmp_path)


@pytest.fixture(params=["onnx", "fake", *VERSIONS])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Takes (batch, 3), eight at most."""
    for session in make(request.param, ["batch", 3], tmp_path):
        yield session if request.param in VERSIONS else HostEngine(session, 8)  # type: ignore[misc]


def test_tells_its_tensors_and_its_name(session: Session) -> None:
    assert dict(session.inputs) == {"x": (1, 3)}
    assert dict(session.outputs) == {"y": (1, 3)}
    assert session.model.name == "adder"
    assert session.model.backend in BACKENDS


def test_infers_every_output(session: Session) -> None:
    outputs = session.infer({"x": ZERO})
    assert outputs.keys() == session.outputs.keys()
    np.testing.assert_array_equal(outputs["y"], [[1, 2, 3]])
    assert outputs["y"].dtype == np.float32


def test_outputs_belong_to_the_caller(session: Session) -> None:
    first = session.infer({"x": ZERO})["y"]
    first[:] = 99
    second = session.infer({"x": ZERO})["y"]
    np.testing.assert_array_equal(second, [[1, 2, 3]])
    np.testing.assert_array_equal(first, [[99, 99, 99]])


def test_leaves_its_input_alone(session: Session) -> None:
    given = ZERO.copy()
    session.infer({"x": given})
    np.testing.assert_array_equal(given, ZERO)


@pytest.mark.parametrize(
    ("feeds", "word"),
    [
        ({}, "given none"),
        ({"z": ZERO}, "given z"),
        ({"x": ZERO, "z": ZERO}, "given x, z"),
        ({"x": ZERO[0]}, r"shape \(3,\)"),
        ({"x": np.zeros((1, 4), np.float32)}, r"shape \(1, 4\)"),
    ],
)
def test_refuses_what_the_model_does_not_take(session: Session, feeds: dict, word: str) -> None:
    with pytest.raises(ModelError, match=f"adder.*{word}"):
        session.infer(feeds)


def test_an_engine_reads_its_slots(engine: Engine) -> None:
    assert engine.max_batch == 8
    assert engine.slots["x"].shape == (8, 3)
    for batch in (1, 3, 8, 2):
        engine.slots["x"][:batch] = np.arange(3 * batch).reshape(batch, 3)
        found = engine.run(batch)["y"]
        assert found.shape == (batch, 3)
        np.testing.assert_array_equal(found, engine.slots["x"][:batch] + MORE)


def test_the_slots_of_an_engine_stay_where_they_are(engine: Engine) -> None:
    before = engine.slots["x"]
    engine.run(2)
    assert engine.slots["x"] is before
    assert engine.slots["x"].flags.c_contiguous


@pytest.mark.parametrize("batch", [0, 9])
def test_an_engine_refuses_a_batch_that_it_has_no_slots_for(engine: Engine, batch: int) -> None:
    with pytest.raises(ModelError, match="adder takes 1 to 8 pictures"):
        engine.run(batch)


def test_an_engine_is_a_session_too(engine: Engine) -> None:
    for batch in (2, 1):
        given = np.full((batch, 3), 10, np.float32)
        np.testing.assert_array_equal(engine.infer({"x": given})["y"], given + MORE)


@pytest.mark.parametrize("kind", ["onnx", "fake", *VERSIONS])
def test_a_fixed_batch_is_the_engines(tmp_path: Path, kind: str) -> None:
    for session in make(kind, [4, 3], tmp_path):
        engine: Any = session if kind in VERSIONS else HostEngine(session, 8)
        assert engine.max_batch == 4
        engine.slots["x"][:] = 5
        np.testing.assert_array_equal(engine.run(2)["y"], [[6, 7, 8]] * 2)


def test_a_model_of_any_size_is_no_engine() -> None:
    with pytest.raises(ModelError, match="free beyond its batch"):
        HostEngine(FakeSession({"x": (1, None)}, [{"y": ZERO}]))
