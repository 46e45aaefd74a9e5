"""An ONNX file as a graph that can be asked questions: the door of the `onnx` package.

For tools and for building engines; the daemon itself runs models without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import DependencyError, ModelError, how_to_install
from edgeguard.models.files import reading
from edgeguard.models.onnx_file import refuse_external_data
from edgeguard.models.session import Shape

LIMIT_BYTES = 1 << 30
"""No model for this class of device is larger."""


@dataclass(frozen=True)
class Graph:
    """A model's nodes, those of its subgraphs included, and who makes and reads each tensor."""

    path: Path
    model: Any
    """onnx.ModelProto."""
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    """TensorProto by name: initialisers and the values of Constant nodes."""
    producers: dict[str, Any] = field(default_factory=dict)
    consumers: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def inputs(self) -> list[str]:
        """Tensors that must be fed, without initialisers."""
        return [value.name for value in self.model.graph.input if value.name not in self.constants]

    @property
    def outputs(self) -> list[str]:
        return [value.name for value in self.model.graph.output]

    @property
    def opset(self) -> int:
        """Of the operators that ONNX itself defines; 0 if the file names none."""
        return max(
            (item.version for item in self.model.opset_import if item.domain in ("", "ai.onnx")), default=0
        )

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """What shape inference finds for each tensor; ModelError if it refuses the model."""
        return _shapes(self)

    def value(self, name: str) -> NDArray[Any] | None:
        """The numbers of a constant tensor; None if it is none. ModelError if it is damaged."""
        tensor = self.constants.get(name)
        return None if tensor is None else _numbers(self.path, tensor)

    def type_of(self, name: str) -> int | None:
        """TensorProto.DataType of a constant."""
        return self.constants[name].data_type if name in self.constants else None


def load_graph(path: Path) -> Graph:
    """ModelError if the file is missing, too large, damaged or keeps tensors in other files."""
    with reading(path):
        size = path.stat().st_size
        if size > LIMIT_BYTES:
            raise ModelError(f"{path} has {size} bytes, more than any model for this device: do not use it")
        data = path.read_bytes()
    return parse_graph(data, path)


def parse_graph(data: bytes, path: Path) -> Graph:
    """The same from bytes; `path` is for messages."""
    refuse_external_data(data, path)
    try:
        model = package().load_model_from_string(data)
    except Exception as error:  # protobuf's DecodeError differs between its versions
        raise ModelError(f"{path} is not an ONNX file, or it is damaged: export it again") from error
    if not model.graph.node:
        raise ModelError(f"{path} has no nodes, so it is no model: export it again")
    graph = Graph(path, model)
    _collect(graph, model.graph)
    return graph


def package() -> Any:
    try:
        import onnx
        import onnx.numpy_helper
        import onnx.shape_inference
    except ImportError as error:
        raise DependencyError(f"onnx is not installed: `{how_to_install('onnx>=1.16')}`") from error
    return onnx


def name_of(node: Any) -> str:
    """How a message calls a node: its name, else its first output."""
    return str(node.name or (node.output[0] if node.output else node.op_type))


def attribute(node: Any, name: str, default: Any) -> Any:
    """An attribute's value, or `default`."""
    for item in node.attribute:
        if item.name == name:
            return package().helper.get_attribute_value(item)
    return default


def _collect(graph: Graph, part: Any) -> None:
    for tensor in part.initializer:
        graph.constants[tensor.name] = tensor
    for node in part.node:
        graph.nodes.append(node)
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            graph.constants[node.output[0]] = node.attribute[0].t
        for name in node.output:
            graph.producers[name] = node
        for name in filter(None, node.input):
            graph.consumers.setdefault(name, []).append(node)
        for inner in _subgraphs(node):
            _collect(graph, inner)


def _subgraphs(node: Any) -> Iterator[Any]:
    for item in node.attribute:
        if item.HasField("g"):
            yield item.g
        yield from item.graphs


def _numbers(path: Path, tensor: Any) -> NDArray[Any]:
    # A few bytes may claim a tensor of any size; a helper that believes them would allocate it.
    stored = max(
        len(tensor.raw_data),
        *(len(getattr(tensor, kind)) for kind in ("float_data", "int32_data", "int64_data", "double_data")),
    )
    if math.prod(tensor.dims) > max(8 * stored, 1):
        raise ModelError(f"{path}: the tensor {tensor.name} is shorter than its shape says: export it again")
    try:
        return np.asarray(package().numpy_helper.to_array(tensor))
    except Exception as error:
        raise ModelError(f"{path}: the tensor {tensor.name} is damaged ({error}): export it again") from error


def _shapes(graph: Graph) -> dict[str, Shape]:
    try:
        inferred = package().shape_inference.infer_shapes(graph.model, data_prop=True).graph
    except Exception as error:  # its exceptions share no base class
        raise ModelError(
            f"{graph.path}: its shapes do not fit together ({error}): export it again"
        ) from error
    found = {name: tuple(tensor.dims) for name, tensor in graph.constants.items()}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        if value.type.tensor_type.HasField("shape"):
            found[value.name] = tuple(_size(item) for item in value.type.tensor_type.shape.dim)
    return found


def _size(dimension: Any) -> int | str | None:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value)
    return str(dimension.dim_param) or None
