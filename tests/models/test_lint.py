from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from edgeguard.cli.main import app
from edgeguard.errors import ModelError
from edgeguard.models.lint import lint, lint_graph
from edgeguard.models.onnx_graph import parse_graph
from tests.models.graphs import constant, model, node, plain, quantised, saved, weights
from tests.models.onnx_bytes import adder, external_tensor

HERE = Path("model.onnx")


def rules_broken(graph: onnx.ModelProto) -> set[str]:
    return {finding.rule for finding in lint_graph(parse_graph(graph.SerializeToString(), HERE))}


def _with_top_k(count: int) -> onnx.ModelProto:
    nodes = [node("Flatten", ["x"], "f"), onnx.helper.make_node("TopK", ["f", "k"], ["y", "i"], name="top")]
    return model(nodes, [constant("k", [count], np.int64)], output=["batch", count])


def _dynamic_scale() -> onnx.ModelProto:
    nodes = [
        node("ReduceMax", ["x"], "s", keepdims=0),
        node("QuantizeLinear", ["x", "s", "z"], "q"),
        node("DequantizeLinear", ["q", "s", "z"], "y"),
    ]
    return model(nodes, [constant("z", 0, np.int8)], output=["batch", 3, 16, 16])


def _lonely_quantiser() -> onnx.ModelProto:
    nodes = [node("QuantizeLinear", ["x", "s", "z"], "q"), node("Cast", ["q"], "y", to=1)]
    return model(nodes, [constant("s", 0.1), constant("z", 0, np.int8)], output=["batch", 3, 16, 16])


def _quantised_output() -> onnx.ModelProto:
    nodes = [
        node("Conv", ["x", "w"], "c", pads=[1] * 4),
        node("QuantizeLinear", ["c", "s", "z"], "q"),
        node("DequantizeLinear", ["q", "s", "z"], "d"),
        node("Relu", ["d"], "y"),
    ]
    return model(nodes, [constant("w", weights()), constant("s", 0.1), constant("z", 0, np.int8)])


def _per_channel_activation() -> onnx.ModelProto:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], "q", axis=1),
        node("DequantizeLinear", ["q", "s", "z"], "y", axis=1),
    ]
    constants = [constant("s", [0.1, 0.2, 0.3]), constant("z", [0, 0, 0], np.int8)]
    return model(nodes, constants, output=["batch", 3, 16, 16])


BAD: dict[str, tuple[str, onnx.ModelProto]] = {
    "opset too new": ("opset", quantised(opset=23, ir=10)),
    "opset without channels": ("opset", quantised(opset=10)),
    "IR too new": ("ir-version", quantised(ir=11)),
    "unknown operator": ("operator", model([node("Det", ["x"], "y")], [], output=["batch", 3])),
    "foreign operator": ("operator", model([node("Gelu", ["x"], "y", domain="com.example")], [])),
    "integer operator": ("integer-operator", model([node("ConvInteger", ["x", "w"], "y")], [])),
    "scale at run time": ("dynamic-scale", _dynamic_scale()),
    "uint8": ("zero-point", quantised(zero_dtype=np.uint8)),
    "uint8 by default": (
        "zero-point",
        model([node("QuantizeLinear", ["x", "s"], "y")], [constant("s", 1.0)]),
    ),
    "asymmetric": ("zero-point", quantised(zero=3)),
    "scale of zero": ("scale", quantised(scale=0.0)),
    "scale that is no number": ("scale", quantised(scale=float("nan"))),
    "int32 bias": ("int32-bias", quantised(int32_bias=True)),
    "channels of an activation": ("per-channel", _per_channel_activation()),
    "wrong axis": ("per-channel", quantised(axis=1)),
    "no dequantiser": ("pair", _lonely_quantiser()),
    "too many kept": ("top-k", _with_top_k(4000)),
    "float weights": ("half-quantised", quantised(quantise_weights=False)),
    "quantised before the activation": ("before-activation", _quantised_output()),
    "outputs of any number": ("data-dependent", model([node("NonZero", ["x"], "y")], [])),
    "pictures of any size": ("free-size", model([node("Relu", ["x"], "y")], [], shape=["n", 3, "h", "w"])),
}


@pytest.mark.parametrize(("rule", "graph"), BAD.values(), ids=BAD.keys())
def test_names_what_is_wrong(rule: str, graph: onnx.ModelProto) -> None:
    assert rule in rules_broken(graph)


@pytest.mark.parametrize("graph", [plain(), quantised(), _with_top_k(300)], ids=["plain", "qdq", "top-k"])
def test_has_nothing_against_what_is_right(graph: onnx.ModelProto) -> None:
    assert rules_broken(graph) == set()


def test_says_which_node_and_how_to_mend_it(tmp_path: Path) -> None:
    (finding,) = [f for f in lint(saved(quantised(int32_bias=True), tmp_path)) if f.rule == "int32-bias"]
    assert finding.node == "b_dq_node"
    assert "QuantizeBias=False" in str(finding)


def test_looks_into_subgraphs() -> None:
    inner = onnx.helper.make_graph([node("Det", ["x"], "d")], "inner", [], [])
    branch = onnx.helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    assert "operator" in rules_broken(model([branch], [constant("c", True, np.bool_)]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no nodes"),
        (b"<html>404</html>", "damaged"),
        (adder()[:-20], "damaged|no nodes"),
        (adder(weights=external_tensor("w")), "other files"),
    ],
    ids=["empty", "page", "cut", "external"],
)
def test_refuses_what_is_no_model(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=rf"bad\.onnx.*({said})"):
        lint(path)


def test_a_tensor_that_claims_to_be_huge_is_not_believed() -> None:
    huge = constant("x_scale", 0.1)
    huge.dims.extend([1 << 20, 1 << 20])
    graph = quantised()
    graph.graph.initializer.remove(next(t for t in graph.graph.initializer if t.name == "x_scale"))
    graph.graph.initializer.append(huge)
    with pytest.raises(ModelError, match="shorter than its shape"):
        rules_broken(graph)


def test_a_ring_of_nodes_does_not_hold_it_up() -> None:
    ring = [node("Reshape", ["b"], "a"), node("Reshape", ["a"], "b"), node("Conv", ["a", "b"], "y")]
    rules_broken(model(ring, []))


SMALL = quantised().SerializeToString()


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255))
def test_no_flipped_byte_makes_it_fail_in_another_way(at: int, value: int) -> None:
    data = SMALL[:at] + bytes([value]) + SMALL[at + 1 :]
    with suppress(ModelError):
        lint_graph(parse_graph(data, HERE))


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["engines", "lint", *words])


def test_the_command_refuses_with_the_node_and_the_fix(tmp_path: Path) -> None:
    answer = run(str(saved(quantised(zero=3), tmp_path)))
    assert answer.exit_code == 1
    assert "x_q_node" in answer.output
    assert "quantise symmetrically" in answer.output


def test_the_command_answers_in_json(tmp_path: Path) -> None:
    answer = run(str(saved(_quantised_output(), tmp_path)), "--json")
    assert answer.exit_code == 0
    assert [finding["rule"] for finding in json.loads(answer.output)] == ["before-activation"]


def test_the_command_says_when_all_is_well(tmp_path: Path) -> None:
    answer = run(str(saved(quantised(), tmp_path)))
    assert answer.exit_code == 0
    assert "no errors" in answer.output


def test_the_command_names_a_missing_file(tmp_path: Path) -> None:
    answer = run(str(tmp_path / "gone.onnx"))
    assert answer.exit_code == 1
    assert "gone.onnx" in answer.output
