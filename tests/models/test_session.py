"""What every session promises, asked of the real one and of the fake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.models import FakeSession, OnnxSession, Session
from tests.models.onnx_bytes import adder


@pytest.fixture(params=["onnx", "fake"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Session:
    """y = x + (1, 2, 3) for x of shape (1, 3), or what the fake was told to say for x = 0."""
    if request.param == "fake":
        return FakeSession({"x": (1, 3)}, [{"y": np.array([[1, 2, 3]], np.float32)}], name="adder")
    path = tmp_path / "adder.onnx"
    path.write_bytes(adder())
    return OnnxSession(path, "adder")


ZERO = np.zeros((1, 3), np.float32)


def test_tells_its_tensors_and_its_name(session: Session) -> None:
    assert dict(session.inputs) == {"x": (1, 3)}
    assert dict(session.outputs) == {"y": (1, 3)}
    assert session.model.name == "adder"
    assert session.model.backend in ("onnxruntime-cpu", "fake")


def test_infers_every_output(session: Session) -> None:
    outputs = session.infer({"x": ZERO})
    assert outputs.keys() == session.outputs.keys()
    np.testing.assert_array_equal(outputs["y"], [[1, 2, 3]])
    assert outputs["y"].dtype == np.float32


def test_outputs_belong_to_the_caller(session: Session) -> None:
    session.infer({"x": ZERO})["y"][:] = 99
    np.testing.assert_array_equal(session.infer({"x": ZERO})["y"], [[1, 2, 3]])


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
