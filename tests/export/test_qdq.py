"""Q/DQ where TensorRT fuses it, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from edgeguard.errors import ModelError
from edgeguard.models.cost import cost
from edgeguard.models.lint import lint
from export import graph
from export.qdq import fed_tensors, layers, quantise
from export.ranges import measure, thresholds
from export.runner import MemorySession
from export.sensitivity import Layer, choose, share_of
from export.twins import correct_bias, local_errors
from tests.export import networks

SOURCES = {"yolox": networks.yolox, "nanodet": networks.nanodet, "detr": networks.detr}


def prepared(kind: str) -> tuple[ModelProto, dict[str, float], list[dict[str, np.ndarray]]]:
    model = graph.normalise(SOURCES[kind](), kind)
    tensor = graph.picture_tensor(model)
    random = np.random.default_rng(0)
    shape = (1, 3, networks.HEIGHT, networks.WIDTH)
    feeds = [{tensor: random.uniform(0, 255, shape).astype(np.float32)} for _ in range(3)]
    names = [node.name for node in layers(model)]
    return model, thresholds(measure(model, fed_tensors(model, names), feeds), "minmax"), feeds


@pytest.mark.parametrize("kind", SOURCES)
def test_the_parser_has_nothing_to_refuse(kind: str, tmp_path: Path) -> None:
    model, limits, _ = prepared(kind)
    quantised = graph.finish(quantise(model, limits, [node.name for node in layers(model)]), kind)
    graph.save(quantised, tmp_path / "model.onnx")
    assert [str(finding) for finding in lint(tmp_path / "model.onnx")] == []
    assert cost(tmp_path / "model.onnx").int8_mac_share == 1


def test_only_the_chosen_layers_are_quantised(tmp_path: Path) -> None:
    model, limits, _ = prepared("yolox")
    chosen = [node.name for node in layers(model)][2:4]
    graph.save(graph.finish(quantise(model, limits, chosen), "part"), tmp_path / "model.onnx")
    assert [layer.node for layer in cost(tmp_path / "model.onnx").layers if layer.quantised] == chosen


def test_weights_have_a_scale_for_each_channel_and_biases_stay_float() -> None:
    model, limits, _ = prepared("yolox")
    first = layers(model)[0]
    quantised = quantise(model, limits, [first.name])
    makers = {name: node for node in quantised.graph.node for name in node.output}
    layer = next(node for node in quantised.graph.node if node.name == first.name)
    scale = graph.initialisers(quantised)[makers[layer.input[1]].input[1]]
    assert list(scale.dims) == [8]
    assert layer.input[2] not in makers


def test_outputs_stay_near_where_everything_is_int8() -> None:
    model, limits, feeds = prepared("nanodet")
    quantised = quantise(model, limits, [node.name for node in layers(model)])
    for name, want in MemorySession(model).infer(feeds[0]).items():
        have = MemorySession(quantised).infer(feeds[0])[name]
        assert np.square(want - have).sum() < 0.05 * np.square(want).sum()


def test_a_tensor_without_a_range_is_named() -> None:
    model, _, _ = prepared("yolox")
    with pytest.raises(ModelError, match="calibrate again"):
        quantise(model, {}, [layers(model)[0].name])


def test_correction_takes_the_mean_error_away() -> None:
    model, limits, feeds = prepared("yolox")
    limits = {name: limit / 3 for name, limit in limits.items()}  # clipped hard, so that there is some
    names = [node.name for node in layers(model)]
    before = local_errors(model, limits, names, feeds)
    after = {}
    for name in names:
        corrected = correct_bias(model, {name: before[name]})
        quantised, output = quantise(corrected, limits, [name]), _output(model, name)
        session, reference = (MemorySession(graph.with_outputs(it, [output])) for it in (quantised, model))
        differences = [session.infer(f)[output] - reference.infer(f)[output] for f in feeds]
        after[name] = np.abs(np.mean(differences, axis=(0, 1, 3, 4))).max()
    worst = max(names, key=lambda name: np.abs(before[name].bias).max())
    assert np.abs(before[worst].bias).max() > 0.01
    assert all(value < 1e-3 for value in after.values())


def _output(model: ModelProto, name: str) -> str:
    return next(node.output[0] for node in model.graph.node if node.name == name)


def test_what_harms_most_for_its_size_is_given_up_first() -> None:
    found = [
        Layer("large", "Conv", 80, 30, 0.01),
        Layer("harmful", "Conv", 10, 10, 0.5),
        Layer("small", "Conv", 10, 30, 0.0001),
    ]
    assert choose(found, 1.0) == ["large", "harmful", "small"]
    assert choose(found, 0.9) == ["large", "small"]
    assert share_of(found, ["large", "small"]) == 0.9
    assert choose(found, 0.0) == []


def test_what_is_not_chosen_reads_floats_also_beside_a_chosen_layer() -> None:
    net = networks.Sketch("x", [1, 4, 8, 8])
    middle = net.silu(net.conv("x", 4))
    out = net.add("Add", [net.add("Add", [net.conv(middle, 4), net.conv(middle, 4)]), middle])
    model = graph.normalise(net.model({out: [1, 4, 8, 8]}), "residual")
    chosen = layers(model)[1]
    quantised = quantise(model, {chosen.input[0]: 2.0}, [chosen.name])
    readers = {node.name: list(node.input) for node in quantised.graph.node}
    for node in model.graph.node:
        assert (readers[node.name] == list(node.input)) == (node.name != chosen.name)
