from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeguard.errors import DependencyError, ModelError
from edgeguard.models import ModelCard, ModelStore, OnnxSession, load_catalog
from tests.models.onnx_bytes import adder, external_tensor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "adder.onnx"
    path.write_bytes(adder())
    return path


def test_the_reference_carries_the_digest_of_the_bytes_that_run(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert OnnxSession(path, "adder").model.sha256 == digest
    assert OnnxSession(path, "adder", {digest}).model.sha256 == digest


def test_refuses_a_file_with_another_digest(path: Path) -> None:
    with pytest.raises(ModelError, match="edgeguard models pull adder"):
        OnnxSession(path, "adder", {"0" * 64})


def test_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx.*No such file"):
        OnnxSession(tmp_path / "gone.onnx", "adder")


@pytest.mark.parametrize("data", [b"", b"<html>404</html>", adder()[:-20]], ids=["empty", "page", "cut"])
def test_refuses_what_is_no_model(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        OnnxSession(path, "bad")


def test_refuses_tensors_in_other_files(tmp_path: Path) -> None:
    path = tmp_path / "outside.onnx"
    path.write_bytes(adder(weights=external_tensor("w")))
    with pytest.raises(ModelError, match="other files"):
        OnnxSession(path, "outside")


def test_takes_any_size_where_the_model_names_none(tmp_path: Path) -> None:
    path = tmp_path / "batch.onnx"
    path.write_bytes(adder(["batch", 3]))
    session = OnnxSession(path, "batch")
    assert dict(session.inputs) == {"x": ("batch", 3)}
    assert session.infer({"x": np.zeros((5, 3), np.float32)})["y"].shape == (5, 3)


def test_a_wrong_type_is_a_model_error(path: Path) -> None:
    with pytest.raises(ModelError, match="adder could not run"):
        OnnxSession(path, "adder").infer({"x": np.zeros((1, 3), np.float64)})


def test_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DependencyError, match="pip install onnxruntime"):
        OnnxSession(path, "adder")


PICTURES = [card for card in load_catalog().cards if card.input and card.file().mirror]


@pytest.mark.parametrize("card", PICTURES, ids=lambda card: card.name)
def test_the_card_describes_the_tensor_that_the_model_has(
    card: ModelCard, mirror: Path, tmp_path: Path
) -> None:
    spec = card.input
    session = OnnxSession(ModelStore(tmp_path, [mirror]).path(card), card.name)
    rows = (spec.height_px, spec.width_px)
    assert session.inputs[spec.tensor] == ((1, 3, *rows) if spec.layout == "nchw" else (1, *rows, 3))
    session.infer({spec.tensor: np.zeros(session.inputs[spec.tensor], spec.dtype)})
