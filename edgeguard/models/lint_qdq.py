"""Rules on quantisation: each yields node, what is wrong, and the fix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgeguard.models.onnx_graph import Graph, attribute, name_of

INT8_TYPE, INT32_TYPE, UINT8_TYPE, HALF_TYPE = 3, 6, 2, 10
"""Numbers of onnx.TensorProto.DataType."""

HALF_SCALE_OPSET = 19
INTEGER_OPERATORS = frozenset({"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "QLinearAdd"})
QUANTISERS = ("QuantizeLinear", "DequantizeLinear")
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
TRANSPARENT = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "MaxPool")
"""What may stand between a DequantizeLinear and its reader."""
MAX_HOPS = 8
ACTIVATIONS = frozenset({"Relu", "Sigmoid", "HardSigmoid", "LeakyRelu", "Clip", "Tanh", "HardSwish", "Mish"})

Found = Iterator[tuple[str, str, str]]


def integer_operators(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type in INTEGER_OPERATORS:
            yield name_of(node), f"{node.op_type} computes in integers", "quantise in the format QDQ"


def dynamic_scales(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type == "DynamicQuantizeLinear":
            yield name_of(node), "its scale is computed at run time", "quantise statically, with calibration"
    for node, scale, _zero in _quantisers(graph):
        if scale not in graph.constants:
            yield name_of(node), f"its scale {scale} is not a constant", "fold constants, or calibrate"


def zero_points(graph: Graph) -> Found:
    for node, _scale, zero in _quantisers(graph):
        kind, values = graph.type_of(zero), graph.value(zero)
        if kind == UINT8_TYPE or (kind is None and not zero and not _is_int8(graph, node)):
            yield name_of(node), "it quantises to uint8", "quantise activations and weights as QInt8"
        elif kind is None and zero:
            yield name_of(node), f"its zero point {zero} is not a constant", "quantise symmetrically"
        elif values is not None and values.astype(np.int64).any():
            yield name_of(node), "its zero point is not 0", "quantise symmetrically (ActivationSymmetric)"


def scales(graph: Graph) -> Found:
    for node, scale, _zero in _quantisers(graph):
        values = graph.value(scale)
        if values is not None and not (np.isfinite(values).all() and (values > 0).all()):
            yield name_of(node), "a scale is not a positive number", "calibrate again, with more pictures"


def half_scales(graph: Graph) -> Found:
    for node, scale, _zero in _quantisers(graph):
        if graph.type_of(scale) == HALF_TYPE and graph.opset < HALF_SCALE_OPSET:
            yield name_of(node), "a float16 scale needs opset 19", "keep scales in float32"


def integer_biases(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type == "DequantizeLinear" and graph.type_of(node.input[0]) == INT32_TYPE:
            yield name_of(node), "it dequantises an int32 bias", "leave biases in float (QuantizeBias=False)"


def per_channel(graph: Graph) -> Found:
    """Several scales belong to weights, one for each of their channels."""
    for node, _scale, _zero in _quantisers(graph):
        count = scale_size(graph, node)
        if count <= 1:
            continue
        weights = source_of(graph, node.input[0])
        if weights not in graph.constants:
            yield name_of(node), f"an activation has {count} scales", "use one scale for each activation"
            continue
        dims = list(graph.constants[weights].dims)
        axis = attribute(node, "axis", 1)
        if not -len(dims) <= axis < len(dims) or dims[axis] != count:
            yield (
                name_of(node),
                f"{count} scales for the shape {dims}, axis {axis}",
                "quantise the weights again",
            )


def pairs(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type == "QuantizeLinear":
            readers = graph.consumers.get(node.output[0], [])
            if not readers or any(reader.op_type != "DequantizeLinear" for reader in readers):
                yield name_of(node), "no DequantizeLinear follows", "quantise in pairs (QuantFormat.QDQ)"
        elif node.op_type == "DequantizeLinear" and node.input[0] not in graph.constants:
            maker = graph.producers.get(node.input[0])
            if maker is None or maker.op_type != "QuantizeLinear":
                yield (
                    name_of(node),
                    "no QuantizeLinear comes before it",
                    "quantise in pairs (QuantFormat.QDQ)",
                )


def half_quantised(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type not in WEIGHTED or len(node.input) < 2:
            continue
        first, second = (is_dequantised(graph, name) for name in node.input[:2])
        if first != second:
            bare = node.input[0] if second else node.input[1]
            yield (
                name_of(node),
                f"its input {bare} is not quantised, so it runs in float",
                "quantise both or none",
            )


def before_activation(graph: Graph) -> Found:
    """Q/DQ between a convolution and its activation keeps TensorRT from fusing the two."""
    for node in graph.nodes:
        if node.op_type != "QuantizeLinear":
            continue
        maker = graph.producers.get(node.input[0])
        if maker is None or maker.op_type not in WEIGHTED:
            continue
        after = [
            kind for pair in graph.consumers.get(node.output[0], []) for kind in _kinds_after(graph, pair)
        ]
        if ACTIVATIONS.intersection(after):
            yield (
                name_of(node),
                f"it parts {name_of(maker)} from its activation",
                "quantise inputs, not outputs",
            )


def _quantisers(graph: Graph) -> Iterator[tuple[Any, str, str]]:
    """Each Quantize/DequantizeLinear with the names of its scale and zero point (empty: none)."""
    for node in graph.nodes:
        if node.op_type in QUANTISERS and len(node.input) >= 2:
            yield node, node.input[1], node.input[2] if len(node.input) > 2 else ""


def scale_size(graph: Graph, node: Any) -> int:
    """How many scales a node has; 1 where they are not constant."""
    scale = graph.constants.get(node.input[1]) if len(node.input) > 1 else None
    return 1 if scale is None else int(np.prod(scale.dims, dtype=np.int64))


def _is_int8(graph: Graph, node: Any) -> bool:
    """Without a zero point, QuantizeLinear means uint8 and DequantizeLinear what it is given."""
    if node.op_type == "QuantizeLinear":
        return bool(attribute(node, "output_dtype", UINT8_TYPE) == INT8_TYPE)
    maker = graph.producers.get(node.input[0])
    return maker is not None or graph.type_of(node.input[0]) in (INT8_TYPE, INT32_TYPE)


def source_of(graph: Graph, name: str) -> str:
    """The tensor behind a QuantizeLinear, or the one itself."""
    maker = graph.producers.get(name)
    return maker.input[0] if maker is not None and maker.op_type == "QuantizeLinear" else name


def is_dequantised(graph: Graph, name: str) -> bool:
    for _ in range(MAX_HOPS):
        maker = graph.producers.get(name)
        if maker is None or maker.op_type not in TRANSPARENT:
            break
        name = maker.input[0]
    return bool(maker is not None and maker.op_type == "DequantizeLinear")


def _kinds_after(graph: Graph, node: Any) -> list[str]:
    return [reader.op_type for name in node.output for reader in graph.consumers.get(name, [])]
