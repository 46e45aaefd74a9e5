"""Small networks with random weights, of the forms of the real ones, as exporters write them (opset 11)."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

WIDTH, HEIGHT, CLASSES = 64, 32, 3
LABELS = ("person", "bicycle", "car")


class Sketch:
    """A graph that grows node by node."""

    def __init__(self, tensor: str, shape: list[int], seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._input = helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._channels = {tensor: shape[1]}

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        self._channels[name] = self._channels.get(inputs[0], 0)
        return name

    def constant(self, values: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def conv(
        self, source: str, channels: int, size: int = 1, stride: int = 1, group: int = 1, scale: float = 1.0
    ) -> str:
        inner = self._channels[source] // group
        spread = scale / np.sqrt(inner * size * size)
        weights = self._random.normal(0, spread, (channels, inner, size, size)).astype(np.float32)
        bias = self._random.normal(0, 0.1, channels).astype(np.float32)
        inputs = [source, self.constant(weights), self.constant(bias)]
        pads = [size // 2] * 4
        out = self.add(
            "Conv", inputs, kernel_shape=[size, size], strides=[stride] * 2, pads=pads, group=group
        )
        self._channels[out] = channels
        return out

    def silu(self, source: str) -> str:
        return self.add("Mul", [source, self.add("Sigmoid", [source])])

    def shaped(self, source: str, shape: list[int]) -> str:
        return self.add("Reshape", [source, self.constant(np.array(shape, np.int64))])

    def rename(self, old: str, new: str) -> None:
        """Call the last node's output `new`."""
        assert self._nodes[-1].output[0] == old
        self._nodes[-1].output[0] = new

    def model(self, outputs: dict[str, list[int]], opset: int = 11) -> ModelProto:
        """`outputs`: tensor to shape; the constants are listed as inputs, as old exporters do."""
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in outputs.items()]
        fed = [helper.make_tensor_value_info(c.name, c.data_type, list(c.dims)) for c in self._constants]
        graph = helper.make_graph(self._nodes, "sketch", [self._input, *fed], values, self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=6)


def yolox(seed: int = 0) -> ModelProto:
    """Like YOLOX: SiLU, depthwise convolutions, residuals, three strides, one output (1, cells, columns)."""
    net = Sketch("images", [1, 3, HEIGHT, WIDTH], seed)
    scaled = net.add("Mul", ["images", net.constant(np.float32(1 / 128))])
    x = net.silu(net.conv(scaled, 8, 3, 2))
    x = net.silu(net.conv(x, 16, 3, 2))
    levels = []
    for stride in (8, 16, 32):
        x = net.silu(net.conv(x, 16, 3, 2, group=16, scale=2))
        x = net.add("Add", [x, net.silu(net.conv(x, 16))])
        box = net.conv(x, 4, scale=0.5)
        sure = net.add("Sigmoid", [net.conv(x, 1 + CLASSES, scale=2)])
        level = net.add("Concat", [box, sure], axis=1)
        cells = HEIGHT // stride * (WIDTH // stride)
        levels.append(net.shaped(level, [1, 5 + CLASSES, cells]))
    rows = net.add("Transpose", [net.add("Concat", levels, axis=2)], perm=[0, 2, 1])
    cells = sum(HEIGHT // s * (WIDTH // s) for s in (8, 16, 32))
    return net.model({rows: [1, cells, 5 + CLASSES]})


def nanodet(seed: int = 0) -> ModelProto:
    """Like NanoDet: LeakyReLU, two outputs a stride, without a batch dimension."""
    net = Sketch("image", [1, 3, HEIGHT, WIDTH], seed)
    x = net.add("LeakyRelu", [net.conv("image", 8, 3, 4)], alpha=0.1)
    outputs = {}
    for stride in (8, 16, 32):
        x = net.add("LeakyRelu", [net.conv(x, 16, 3, 2)], alpha=0.1)
        cells = HEIGHT // stride * (WIDTH // stride)
        for columns, last in ((CLASSES, "Sigmoid"), (32, "Identity")):
            raw = net.add(last, [net.conv(x, columns)])
            outputs[net.add("Transpose", [net.shaped(raw, [columns, -1])], perm=[1, 0])] = [cells, columns]
    return net.model(outputs)


def detr(seed: int = 0, queries: int = 32) -> ModelProto:
    """Like RT-DETR and D-FINE: MatMul heads on tokens, `logits` and relative `pred_boxes`."""
    net = Sketch("images", [1, 3, HEIGHT, WIDTH], seed)
    scaled = net.add("Mul", ["images", net.constant(np.float32(1 / 128))])
    x = net.add("Relu", [net.conv(scaled, 16, 3, 8)])
    tokens = net.add("Transpose", [net.shaped(x, [1, 16, queries])], perm=[0, 2, 1])
    random = np.random.default_rng(seed)
    heads = {}
    for name, columns, last in (("logits", CLASSES, "Identity"), ("pred_boxes", 4, "Sigmoid")):
        weights = net.constant(random.normal(0, 0.5, (16, columns)).astype(np.float32))
        net.rename(net.add(last, [net.add("MatMul", [tokens, weights])]), name)
        heads[name] = [1, queries, columns]
    return net.model(heads)


def chain(between: str = "Relu", seed: int = 0) -> ModelProto:
    """Convolution, function, depthwise convolution, function, convolution; channels of very unequal range."""
    net = Sketch("x", [1, 4, 8, 8], seed)
    x = net.conv("x", 8)
    weights = numpy_helper.to_array(net._constants[0]) * np.geomspace(0.01, 10, 8)[:, None, None, None]
    net._constants[0].CopyFrom(numpy_helper.from_array(weights.astype(np.float32), "c0"))
    x = net.silu(x) if between == "SiLU" else net.add(between, [x])
    x = net.conv(x, 8, 3, group=8)
    x = net.silu(x) if between == "SiLU" else net.add(between, [x])
    return net.model({net.conv(x, 4): [1, 4, 8, 8]})
