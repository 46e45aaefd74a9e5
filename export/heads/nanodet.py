"""NanoDet's decoding as nodes: what `edgeguard.vision.nanodet` does, for all cells at once."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec
from edgeguard.vision.nanodet import BINS, STRIDES
from edgeguard.vision.network import cell_grid
from export.graph import add_constant, add_node
from export.heads.top_k import BOXES, SCORES


def decode_nanodet(model: ModelProto, spec: InputSpec) -> None:
    """From outputs (cells, classes) and (cells, 4 * BINS) per stride, told apart by their shapes."""
    scores, boxes = [], []
    for stride in STRIDES:
        cells = cell_grid(spec.height_px, spec.width_px, stride)
        sides = _rows(model, len(cells), 4 * BINS, sides=True)
        scores.append(_rows(model, len(cells), 4 * BINS, sides=False))
        boxes.append(_boxes(model, sides, (cells + 0.5) * stride - 0.5, stride))
    add_node(model, "Concat", scores, SCORES, axis=1)
    add_node(model, "Concat", boxes, BOXES, axis=1)


def _boxes(model: ModelProto, sides: str, centres: np.ndarray, stride: int) -> str:
    """(batch, cells, 4): the expectation of each side's bins, from the cell's centre."""
    here = f"nanodet/{stride}"
    shape = add_constant(model, f"{here}/shape", np.array([0, len(centres), 4, BINS], np.int64))
    bins = add_node(model, "Reshape", [sides, shape], f"{here}/bins")
    share = add_node(model, "Softmax", [bins], f"{here}/share", axis=3)
    reach = add_constant(model, f"{here}/reach", (np.arange(BINS) * stride).astype(np.float32))
    weighted = add_node(model, "Mul", [share, reach], f"{here}/weighted")
    axis = add_constant(model, f"{here}/axis", np.array([3], np.int64))
    distance = add_node(model, "ReduceSum", [weighted, axis], f"{here}/distance", keepdims=0)
    sign = add_constant(model, f"{here}/sign", np.array([-1, -1, 1, 1], np.float32))
    signed = add_node(model, "Mul", [distance, sign], f"{here}/signed")
    twice = np.hstack([centres, centres])[None].astype(np.float32)
    return add_node(model, "Add", [signed, add_constant(model, f"{here}/centres", twice)], f"{here}/boxes")


def _rows(model: ModelProto, cells: int, side_columns: int, *, sides: bool) -> str:
    """(batch, cells, columns) of the output with so many cells, for boxes or for classes.

    Published files end in Reshape (columns, cells) and Transpose, which lose the batch; they are replaced.
    """
    for value in model.graph.output:
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if shape[-2] == cells and (shape[-1] == side_columns) == sides:
            return value.name if len(shape) == 3 else _with_batch(model, value.name, shape[-1])
    kind = "sides" if sides else "classes"
    raise ModelError(f"the model has no output of {cells} cells for {kind}: this is no NanoDet of this size")


def _with_batch(model: ModelProto, output: str, columns: int) -> str:
    made: dict[str, NodeProto] = {name: node for node in model.graph.node for name in node.output}
    turn = made[output]
    fold = made[turn.input[0]]
    if turn.op_type != "Transpose" or fold.op_type != "Reshape":
        raise ModelError(f"the output {output} has no batch dimension and ends in {turn.op_type}")
    shape = add_constant(model, f"{output}/shape", np.array([0, columns, -1], np.int64))
    rows = add_node(model, "Reshape", [fold.input[0], shape], f"{output}/columns")
    return add_node(model, "Transpose", [rows], f"{output}/rows", perm=[0, 2, 1])
