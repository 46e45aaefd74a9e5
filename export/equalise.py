"""Cross-layer equalisation (Nagel et al. 2019, arXiv:1906.04721, section 4.1): where it changes nothing else.

Between two convolutions, a channel may be made smaller at the first and larger at the second by the same
factor, as long as what lies between treats positive factors alike: nothing, ReLU, LeakyReLU or PReLU. SiLU,
sigmoid and ReLU6 do not, so pairs around them are left alone. The factors make the channels' weight ranges of
both layers equal, which one scale per tensor of activations then fits better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from export.graph import array_of, attributes_of, initialisers

HOMOGENEOUS = frozenset({"Relu", "LeakyRelu", "PRelu"})
ROUNDS = 20
_SMALLEST = 1e-4
_LARGEST = 1e4


@dataclass(frozen=True, slots=True)
class Pair:
    """Two convolutions with a homogeneous function, or nothing, between them."""

    first: NodeProto
    second: NodeProto


def pairs(model: ModelProto) -> list[Pair]:
    """All pairs in which the second convolution is the only reader of the first."""
    return list(_pairs(model))


def equalise(model: ModelProto) -> ModelProto:
    """A copy that computes the same, its pairs' channels of equal range, if there are any."""
    copy = ModelProto()
    copy.CopyFrom(model)
    constants = initialisers(copy)
    weights = {
        name: array_of(constants[name]).astype(np.float64)
        for node in copy.graph.node
        if node.op_type == "Conv"
        for name in node.input[1:]
        if name in constants
    }
    found = pairs(copy)
    for _ in range(ROUNDS):
        for pair in found:
            _balance(pair, weights)
    for name, values in weights.items():
        constants[name].CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))
    return copy


def _pairs(model: ModelProto) -> Iterator[Pair]:
    constants = initialisers(model)
    uses = [name for node in model.graph.node for name in node.input]
    uses += [value.name for value in model.graph.output]
    readers = {name: node for node in model.graph.node for name in node.input}
    for first in model.graph.node:
        if first.op_type != "Conv":
            continue
        second = _only_reader(first.output[0], uses, readers)
        if second is not None and second.op_type in HOMOGENEOUS:
            second = _only_reader(second.output[0], uses, readers)
        if second is None or second.op_type != "Conv":
            continue
        owned = [*first.input[1:], second.input[1]]
        if all(name in constants and uses.count(name) == 1 for name in owned) and _fits(second, constants):
            yield Pair(first, second)


def _only_reader(name: str, uses: list[str], readers: Mapping[str, NodeProto]) -> NodeProto | None:
    return readers.get(name) if uses.count(name) == 1 else None


def _fits(second: NodeProto, constants: Mapping[str, object]) -> bool:
    """Whether the input channels of `second` are one axis of its weights: no groups, or depthwise."""
    group = attributes_of(second).get("group", 1)
    shape = constants[second.input[1]].dims  # type: ignore[attr-defined]
    return bool(group == 1 or (shape[1] == 1 and shape[0] == group))


def _balance(pair: Pair, weights: dict[str, NDArray[np.float64]]) -> None:
    first, second = weights[pair.first.input[1]], weights[pair.second.input[1]]
    depthwise = attributes_of(pair.second).get("group", 1) > 1
    axis = 0 if depthwise else 1
    before, after = _reach(first, 0), _reach(second, axis)
    alive = (before > _SMALLEST) & (after > _SMALLEST)
    factor = np.ones_like(before)
    factor[alive] = np.clip(np.sqrt(before[alive] / after[alive]), 1 / _LARGEST, _LARGEST)
    first /= factor.reshape(-1, *[1] * (first.ndim - 1))
    for name in pair.first.input[2:]:
        weights[name] /= factor
    second *= factor.reshape([-1 if at == axis else 1 for at in range(second.ndim)])


def _reach(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The largest |weight| of each channel."""
    return np.asarray(np.abs(values).max(axis=tuple(at for at in range(values.ndim) if at != axis)))
