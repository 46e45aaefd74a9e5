"""Equalisation changes ranges and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto

from export import graph
from export.equalise import equalise, pairs
from export.runner import MemorySession
from tests.export import networks


def ranges(model: ModelProto) -> np.ndarray:
    constants = graph.initialisers(model)
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    return np.abs(graph.array_of(constants[first.input[1]])).max(axis=(1, 2, 3))


@pytest.mark.parametrize("between", ["Relu", "LeakyRelu"])
def test_ranges_draw_near_and_the_outputs_stay(between: str) -> None:
    model = graph.normalise(networks.chain(between), "chain")
    even = equalise(model)
    assert len(pairs(model)) == 2
    assert ranges(even).max() / ranges(even).min() < ranges(model).max() / ranges(model).min() / 5
    x = np.random.default_rng(0).normal(size=(1, 4, 8, 8)).astype(np.float32)
    (want,), (have,) = (MemorySession(it).infer({"x": x}).values() for it in (model, even))
    np.testing.assert_allclose(want, have, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("between", ["SiLU", "Sigmoid"])
def test_what_does_not_scale_is_left_alone(between: str) -> None:
    model = graph.normalise(networks.chain(between), "chain")
    assert pairs(model) == []
    assert equalise(model) == model


def test_a_tensor_with_a_second_reader_is_left_alone() -> None:
    net = networks.Sketch("x", [1, 4, 8, 8])
    middle = net.conv("x", 4)
    out = net.add("Add", [net.conv(middle, 4), middle])
    assert pairs(graph.normalise(net.model({out: [1, 4, 8, 8]}), "forked")) == []


def test_a_dead_channel_stays_finite() -> None:
    model = graph.normalise(networks.chain(), "chain")
    constants = graph.initialisers(model)
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    weights = graph.array_of(constants[conv.input[1]]).copy()
    weights[0] = 0
    constants[conv.input[1]].CopyFrom(graph.numpy_helper.from_array(weights, conv.input[1]))
    for tensor in equalise(model).graph.initializer:
        assert np.isfinite(graph.array_of(tensor)).all()
