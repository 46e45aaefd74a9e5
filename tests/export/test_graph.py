"""The form that every model is brought to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeguard.errors import ModelError
from edgeguard.models.lint import lint
from export import graph
from export.runner import MemorySession
from tests.export import networks

SOURCES = {"yolox": networks.yolox, "detr": networks.detr, "chain": networks.chain}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_normalised_model_is_what_tensorrt_reads(kind: str, tmp_path: Path) -> None:
    model = graph.normalise(SOURCES[kind](), kind)
    assert (model.opset_import[0].version, model.ir_version) == (17, 8)
    assert [value.name for value in model.graph.input] == [SOURCES[kind]().graph.input[0].name]
    names = [node.name for node in model.graph.node]
    assert all(names)
    assert len(set(names)) == len(names)
    graph.save(model, tmp_path / "model.onnx")
    assert [str(finding) for finding in lint(tmp_path / "model.onnx") if finding.level == "error"] == []


@pytest.mark.parametrize("kind", SOURCES)
def test_it_computes_what_it_did_for_any_batch(kind: str) -> None:
    source = SOURCES[kind]()
    (tensor, (_, *shape)) = source.graph.input[0].name, networks_shape(source)
    pictures = np.random.default_rng(1).uniform(0, 255, (3, *shape)).astype(np.float32)
    before, after = MemorySession(source), MemorySession(graph.normalise(source, kind))
    together = after.infer({tensor: pictures})
    for slot in range(3):
        alone = before.infer({tensor: pictures[slot : slot + 1]})
        for name, want in zip(together, alone.values(), strict=True):
            np.testing.assert_allclose(together[name][slot], want[0], rtol=1e-3, atol=1e-3)


def networks_shape(model: onnx.ModelProto) -> list[int]:
    return [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]


def test_a_resize_to_a_fixed_size_follows_the_batch() -> None:
    net = networks.Sketch("x", [1, 2, 4, 4])
    sizes = net.constant(np.array([1, 2, 8, 8], np.int64))
    out = net.add(
        "Resize", ["x", net.constant(np.zeros(0, np.float32)), net.constant(np.zeros(0, np.float32)), sizes]
    )
    model = graph.normalise(net.model({out: [1, 2, 8, 8]}, opset=13), "resize")
    (found,) = MemorySession(model).infer({"x": np.ones((5, 2, 4, 4), np.float32)}).values()
    assert found.shape == (5, 2, 8, 8)


def test_multiply_accumulates_are_counted_by_layer() -> None:
    net = networks.Sketch("x", [1, 4, 8, 8])
    out = net.conv("x", 6, 3)
    model = graph.normalise(net.model({out: [1, 6, 8, 8]}), "one")
    assert list(graph.macs_of(model, "one").values()) == [8 * 8 * 6 * 4 * 9]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"\xff" * 99]
)
def test_a_damaged_file_is_named(damage: object, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(damage(networks.yolox().SerializeToString()))  # type: ignore[operator]
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        graph.load(path)


def test_an_operator_that_does_not_exist_is_refused() -> None:
    model = networks.chain()
    model.graph.node[0].op_type = "Convolve"
    with pytest.raises(ModelError, match="odd"):
        graph.normalise(model, "odd")
