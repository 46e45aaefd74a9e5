"""The graph in the form that everything after this expects, whatever exporter wrote it.

Opset 17 and IR 8 are what the parser of TensorRT 10.3 reads without conversion of its own, and the first
opset pair in which per-channel Q/DQ (13) and every operator used here exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxslim
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper, version_converter

from edgeguard.errors import ModelError
from edgeguard.files import write_whole
from edgeguard.models.cost import cost_of
from edgeguard.models.onnx_graph import load_graph, parse_graph

OPSET = 17
IR_VERSION = 8
BATCH = "batch"


def load(path: Path) -> ModelProto:
    """ModelError if the file is missing, damaged or keeps tensors in other files."""
    model: ModelProto = load_graph(path).model
    return model


def save(model: ModelProto, path: Path) -> None:
    """Whole or not at all; OSError if the disk refuses."""
    write_whole(path, model.SerializeToString())


def normalise(model: ModelProto, name: str, *, dynamic_batch: bool = True) -> ModelProto:
    """`model` at opset 17, simplified, its nodes named, its batch free; ModelError where that fails."""
    try:
        model = version_converter.convert_version(_without_fed_constants(model), OPSET)
        model = simplify(model)
    except Exception as error:  # converters and shape inference raise errors of their own and bare ones
        raise ModelError(f"{name} cannot be brought to opset {OPSET}: {error}") from error
    if dynamic_batch:
        free_batch(model)
    return finish(model, name)


def simplify(model: ModelProto) -> ModelProto:
    """Constants folded, doubles merged, what nothing needs removed."""
    slimmed: ModelProto = onnxslim.slim(model)
    return slimmed


def finish(model: ModelProto, name: str) -> ModelProto:
    """Shapes inferred anew, nodes named, and the whole checked; ModelError if it is no sound model."""
    model.ir_version = IR_VERSION
    model.producer_name = "edgeguard-export"
    del model.metadata_props[:]
    del model.graph.value_info[:]
    _name_nodes(model)
    try:
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # the checker's and inference's errors share no base class
        raise ModelError(f"{name} is not a sound ONNX model: {error}") from error
    return model


def free_batch(model: ModelProto) -> None:
    """Let the first dimension of inputs and outputs be of any size, and let reshapes and resizes carry it."""
    shapes = _shapes(model)
    constants = initialisers(model)
    for node in model.graph.node:
        if node.op_type == "Reshape" and node.input[1] in constants:
            shape = _with_any_batch(array_of(constants[node.input[1]]), shapes.get(node.input[0], []))
            node.input[1] = add_constant(model, f"{node.output[0]}/shape", shape)
        elif node.op_type == "Resize" and len(node.input) == 4 and node.input[3] in constants:
            scales = array_of(constants[node.input[3]]) / shapes[node.input[0]]
            name = add_constant(model, f"{node.output[0]}/scales", scales.astype(np.float32))
            node.input[:] = [node.input[0], node.input[1], name]
    for value in (*model.graph.input, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims and dims[0].dim_value == 1:
            dims[0].dim_param = BATCH


def _with_any_batch(shape: NDArray[Any], source: list[int]) -> NDArray[Any]:
    """The shape that a Reshape makes of `source`, its first dimension of 1 taken for the batch."""
    shape = shape.copy()
    if len(shape) > 1 and shape[0] == 1:
        if source[:1] == [1]:
            shape[0] = 0  # as in the input
        elif -1 not in shape:
            shape[0] = -1
    return shape


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values}


def macs_of(model: ModelProto, name: str) -> dict[str, int]:
    """Multiply-accumulates of one picture by node, for the layers with weights."""
    graph = parse_graph(model.SerializeToString(), Path(name))
    return {layer.node: layer.macs for layer in cost_of(graph).layers}


def with_outputs(model: ModelProto, names: Iterable[str]) -> ModelProto:
    """A copy that returns these tensors and nothing else, in this order."""
    copy = ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    copy.graph.output.extend(ValueInfoProto(name=name) for name in names)
    return copy


def add_constant(model: ModelProto, name: str, values: NDArray[Any]) -> str:
    """Put an initialiser into the graph; its name, for a node's input."""
    model.graph.initializer.append(numpy_helper.from_array(values, name))
    return name


def add_node(model: ModelProto, kind: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
    """Append a node named after its first output; that output's name."""
    name = outputs[0]
    model.graph.node.append(helper.make_node(kind, inputs, list(outputs), name=name, **attributes))
    return name


def set_output(model: ModelProto, name: str, shape: list[int | str]) -> None:
    """Make `name` the only output, of float32."""
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def initialisers(model: ModelProto) -> dict[str, TensorProto]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


def array_of(tensor: TensorProto) -> NDArray[Any]:
    return np.asarray(numpy_helper.to_array(tensor))


def attributes_of(node: NodeProto) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def picture_tensor(model: ModelProto) -> str:
    """The name of the only input."""
    return str(model.graph.input[0].name)


def _without_fed_constants(model: ModelProto) -> ModelProto:
    """Old exporters list weights among the inputs, where they count as changeable and cannot be folded."""
    copy = ModelProto()
    copy.CopyFrom(model)
    constants = {tensor.name for tensor in copy.graph.initializer}
    fed = [value for value in copy.graph.input if value.name not in constants]
    del copy.graph.input[:]
    copy.graph.input.extend(fed)
    return copy


def _name_nodes(model: ModelProto) -> None:
    """Names are how plans and findings speak of nodes, so every node has one of its own."""
    seen: set[str] = set()
    for node in model.graph.node:
        if not node.name or node.name in seen:
            node.name = f"{node.op_type}/{node.output[0]}"
        seen.add(node.name)
