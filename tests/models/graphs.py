"""Small quantised networks, right and wrong, made with the `onnx` package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
CHANNELS = 8


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, list(inputs), [output], name=f"{output}_node", **attributes)


def constant(name: str, values: Any, dtype: Any = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    *,
    shape: Sequence[int | str] = ("batch", 3, 16, 16),
    output: Sequence[int | str] = ("batch", CHANNELS, 16, 16),
    opset: int = 17,
    ir: int = 8,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info("x", FLOAT, shape)],
        [helper.make_tensor_value_info("y", FLOAT, output)],
        list(constants),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def weights(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.2, (CHANNELS, 3, 3, 3)).astype(np.float32)


def plain() -> onnx.ModelProto:
    """y = relu(conv(x))."""
    nodes = [node("Conv", ["x", "w", "b"], "c", pads=[1] * 4), node("Relu", ["c"], "y")]
    return model(nodes, [constant("w", weights()), constant("b", np.zeros(CHANNELS))])


def quantised(
    *,
    zero: Any = 0,
    zero_dtype: Any = np.int8,
    scale: Any = 0.02,
    weight_scales: Any = None,
    axis: int = 0,
    int32_bias: bool = False,
    quantise_weights: bool = True,
    opset: int = 17,
    ir: int = 8,
) -> onnx.ModelProto:
    """The same with Q/DQ around `x` and the weights; the defaults are what TensorRT wants."""
    scales = np.full(CHANNELS, 0.01) if weight_scales is None else np.asarray(weight_scales)
    whole = np.clip(np.rint(weights() / 0.01), -127, 127)
    nodes = [
        node("QuantizeLinear", ["x", "x_scale", "x_zero"], "x_q"),
        node("DequantizeLinear", ["x_q", "x_scale", "x_zero"], "x_dq"),
        node("DequantizeLinear", ["w_q", "w_scale", "w_zero"], "w_dq", axis=axis),
        node("DequantizeLinear", ["b_q", "b_scale"], "b_dq", axis=0),
        node(
            "Conv",
            ["x_dq", "w_dq" if quantise_weights else "w", "b_dq" if int32_bias else "b"],
            "c",
            pads=[1] * 4,
        ),
        node("Relu", ["c"], "y"),
    ]
    constants = [
        constant("x_scale", scale),
        constant("x_zero", zero, zero_dtype),
        constant("w_scale", scales),
        constant("w_zero", np.zeros(scales.shape), np.int8),
        constant("w_q", whole, np.int8),
        constant("w", weights()),
        constant("b", np.zeros(CHANNELS)),
        constant("b_q", np.zeros(CHANNELS), np.int32),
        constant("b_scale", np.full(CHANNELS, 0.001)),
    ]
    read = {name for step in nodes for name in step.input if step.output[0] in ("x_q", "x_dq", "c", "y")}
    nodes = [step for step in nodes if step.output[0] in read or step.output[0] == "y"]
    used = {name for step in nodes for name in step.input}
    return model(nodes, [tensor for tensor in constants if tensor.name in used], opset=opset, ir=ir)


def saved(model: onnx.ModelProto, folder: Path, name: str = "small.onnx") -> Path:
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path
