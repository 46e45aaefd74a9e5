"""What a model costs before it is bought: arithmetic, memory, and the time below which no Jetson gets.

Only layers with weights are counted (Conv, ConvTranspose, Gemm, MatMul): the rest is fused into them. The
floor is the larger of two times: all multiply-accumulates at the GPU's dense peak, and every layer's input,
output and weights once through DRAM. Real engines of small detectors take seven to ten times as long.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeguard.errors import ModelError
from edgeguard.models.lint_qdq import WEIGHTED, is_dequantised, source_of
from edgeguard.models.onnx_graph import Graph, attribute, load_graph, name_of

INT8_MACS_PER_CLOCK = 2048
"""Of one streaming multiprocessor of the Ampere GPU in Orin, dense; FP16 has half of it, FP32 a sixteenth."""

_SPEED = {"int8": 1.0, "fp16": 0.5, "fp32": 1 / 16}
_BYTES = {"int8": 1, "fp16": 2, "fp32": 4}


@dataclass(frozen=True, slots=True)
class Module:
    """A Jetson module at its highest ordinary clock."""

    name: str
    multiprocessors: int
    clock_hz: float
    dram_bytes_per_s: float


MODULES = (
    Module("Orin Nano 8GB", 8, 0.625e9, 68e9),
    Module("Orin NX 16GB", 8, 0.918e9, 102.4e9),
    Module("AGX Orin 64GB", 16, 1.3e9, 204.8e9),
)


@dataclass(frozen=True, slots=True)
class LayerCost:
    """One layer with weights, for the whole batch."""

    node: str
    kind: str
    macs: int
    parameters: int
    activations: int
    """Elements read and written, without the weights."""
    quantised: bool
    """Whether Q/DQ makes it run in INT8."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A model at one batch size."""

    batch: int
    layers: tuple[LayerCost, ...]

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def flops(self) -> int:
        """Two for each multiply-accumulate."""
        return 2 * self.macs

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def activations(self) -> int:
        return sum(layer.activations for layer in self.layers)

    @property
    def int8_mac_share(self) -> float:
        """0 to 1."""
        return sum(layer.macs for layer in self.layers if layer.quantised) / max(self.macs, 1)

    def activation_bytes(self, precision: str) -> int:
        """Read and written by all layers; a quantised one keeps to one byte. `precision` is of the rest."""
        return sum(layer.activations * _BYTES[_of(layer, precision)] for layer in self.layers)

    def floor_s(self, module: Module, precision: str = "fp16") -> float:
        """Computed seconds for one batch, never reached; what is not quantised runs in `precision`."""
        peak = module.multiprocessors * INT8_MACS_PER_CLOCK * module.clock_hz
        compute_s = sum(layer.macs / (peak * _SPEED[_of(layer, precision)]) for layer in self.layers)
        moved = sum(
            (layer.activations + layer.parameters) * _BYTES[_of(layer, precision)] for layer in self.layers
        )
        return max(compute_s, moved / module.dram_bytes_per_s)


def cost(path: Path, batch: int = 1) -> Cost:
    """ModelError if the file is no model, or its pictures have no fixed size."""
    return cost_of(load_graph(path), batch)


def cost_of(graph: Graph, batch: int = 1) -> Cost:
    """The same of a graph; a free batch dimension becomes `batch`, a fixed one stays."""
    sized = _with_batch(graph, batch)
    try:
        return Cost(batch, tuple(_layers(sized, batch)))
    except (IndexError, TypeError, KeyError) as error:
        raise ModelError(f"{graph.path} has a layer that is no ONNX ({error}): export it again") from error


def _of(layer: LayerCost, precision: str) -> str:
    return "int8" if layer.quantised else precision


def _with_batch(graph: Graph, batch: int) -> Graph:
    """The same nodes, with the inputs' first free dimension set and stale shapes thrown away."""
    model = copy.deepcopy(graph.model)
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name in graph.inputs and dims and not dims[0].HasField("dim_value"):
            dims[0].dim_value = batch
    return Graph(graph.path, model, graph.nodes, graph.constants, graph.producers, graph.consumers)


def _layers(graph: Graph, batch: int) -> Iterator[LayerCost]:
    seen: set[str] = set()
    for node in graph.nodes:
        if node.op_type not in WEIGHTED:
            continue
        source, weights, target = (
            _size(graph, node, at, batch) for at in (node.input[0], node.input[1], node.output[0])
        )
        held = {source_of(graph, _behind(graph, name)) for name in node.input[1:]} & graph.constants.keys()
        yield LayerCost(
            name_of(node),
            node.op_type,
            _macs(node, source, weights, target),
            sum(math.prod(graph.constants[name].dims) for name in held - seen),
            math.prod(source) + math.prod(target) + (0 if held else math.prod(weights)),
            all(is_dequantised(graph, name) for name in node.input[:2]),
        )
        seen |= held


def _macs(node: Any, source: tuple[int, ...], weights: tuple[int, ...], target: tuple[int, ...]) -> int:
    if node.op_type == "Conv":
        return math.prod(target) * math.prod(weights[1:])
    if node.op_type == "ConvTranspose":
        return math.prod(source) * math.prod(weights[1:])
    inner = source[0] if node.op_type == "Gemm" and attribute(node, "transA", 0) else source[-1]
    return math.prod(target) * inner


def _size(graph: Graph, node: Any, tensor: str, batch: int) -> tuple[int, ...]:
    """Of a tensor at `node`; a first dimension that inference lost is the batch."""
    shape = graph.shapes.get(tensor)
    if shape and not isinstance(shape[0], int):
        shape = (batch, *shape[1:])
    sizes = tuple(size for size in shape or () if isinstance(size, int))
    if shape is None or len(sizes) != len(shape):
        raise ModelError(
            f"{graph.path}: the size of {tensor} at {name_of(node)} is not known ({shape}): "
            f"export the model with a fixed height and width"
        )
    return sizes


def _behind(graph: Graph, name: str) -> str:
    """The tensor that a DequantizeLinear was given, or the one itself."""
    maker = graph.producers.get(name)
    return str(maker.input[0]) if maker is not None and maker.op_type == "DequantizeLinear" else name
