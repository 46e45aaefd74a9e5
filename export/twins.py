"""What quantisation does to each layer by itself: beside every layer, its quantised twin on the same input.

One run of such a graph gives the local error of all layers at once, free of what earlier layers did wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from export.graph import array_of, initialisers
from export.progress import steps
from export.qdq import layers, quantise
from export.runner import Feeds, Probe

_TWIN = "/twin"
LARGEST_SQNR_DB = 99.0


@dataclass(frozen=True, slots=True)
class LocalError:
    """Of one layer's output."""

    sqnr_db: float
    """Signal to quantisation noise: 20 dB is poor, 40 dB is good."""
    bias: NDArray[np.float64]
    """(channels,): by how much the quantised layer is too high on average."""


def local_errors(
    model: ModelProto, limits: Mapping[str, float], names: Collection[str], feeds: Sequence[Feeds]
) -> dict[str, LocalError]:
    """By layer, measured on FP32 inputs; a convolution's channels are axis 1, a product's the last one."""
    twinned = _with_twins(model, limits, names)
    outputs = {node.name: node.output[0] for node in layers(model) if node.name in names}
    axes = {node.name: -1 if node.op_type in ("MatMul", "Gemm") else 1 for node in layers(model)}
    probe = Probe(twinned, [*outputs.values(), *(output + _TWIN for output in outputs.values())])
    sums = {name: _Sums() for name in outputs}
    for feed in steps(feeds, "layers' own errors"):
        values = probe(feed)
        for name, output in outputs.items():
            sums[name].add(values[output], values[output + _TWIN], axes[name])
    return {name: found.error() for name, found in sums.items()}


def correct_bias(model: ModelProto, errors: Mapping[str, LocalError]) -> ModelProto:
    """A copy whose layers' biases make up for the mean error (Nagel et al. 2019, section 4.2).

    Only layers with a bias of their own are corrected; one that several layers share is left alone.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    constants = initialisers(copy)
    uses = [name for node in copy.graph.node for name in node.input]
    for node in layers(copy):
        name = node.input[2] if len(node.input) > 2 else ""
        if node.name in errors and name in constants and uses.count(name) == 1:
            corrected = array_of(constants[name]) - errors[node.name].bias
            constants[name].CopyFrom(numpy_helper.from_array(corrected.astype(np.float32), name))
    return copy


class _Sums:
    """Error and signal power of one layer, picture by picture."""

    def __init__(self) -> None:
        self._noise = self._signal = 0.0
        self._bias: NDArray[np.float64] | float = 0.0
        self._pictures = 0

    def add(self, want: NDArray[Any], have: NDArray[Any], axis: int) -> None:
        others = tuple(at for at in range(want.ndim) if at != axis % want.ndim)
        difference = have.astype(np.float64) - want
        self._noise += float(np.square(difference).sum())
        self._signal += float(np.square(want - want.mean(axis=others, keepdims=True)).sum())
        self._bias = self._bias + difference.mean(axis=others)
        self._pictures += 1

    def error(self) -> LocalError:
        ratio = max(self._signal, 1e-12) / max(self._noise, 1e-12)
        sqnr_db = min(10 * float(np.log10(ratio)), LARGEST_SQNR_DB)
        return LocalError(sqnr_db, np.asarray(self._bias / max(self._pictures, 1)))


def _with_twins(model: ModelProto, limits: Mapping[str, float], names: Collection[str]) -> ModelProto:
    """The float graph, plus each quantised layer of `names` with what makes its inputs."""
    quantised = quantise(model, limits, names)
    joined = ModelProto()
    joined.CopyFrom(model)
    there = initialisers(joined).keys() | {value.name for value in joined.graph.input}
    there |= {name for node in joined.graph.node for name in node.output}
    joined.graph.initializer.extend(
        tensor for tensor in quantised.graph.initializer if tensor.name not in there
    )
    makers = {name: node for node in quantised.graph.node for name in node.output}
    for node in layers(quantised):
        if node.name in names:
            _add_twin(joined, node, makers, there)
    return joined


def _add_twin(joined: ModelProto, layer: NodeProto, makers: Mapping[str, NodeProto], there: set[str]) -> None:
    for name in layer.input:
        _bring(joined, name, makers, there)
    twin = joined.graph.node.add()
    twin.CopyFrom(layer)
    twin.name += _TWIN
    twin.output[0] += _TWIN


def _bring(joined: ModelProto, name: str, makers: Mapping[str, NodeProto], there: set[str]) -> None:
    """Add what makes the tensor `name` and is not there yet: the Q/DQ in front of a layer."""
    if name in there or name not in makers:
        return
    node = makers[name]
    for source in node.input:
        _bring(joined, source, makers, there)
    joined.graph.node.append(node)
    there.update(node.output)
