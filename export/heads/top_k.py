"""Of all boxes and classes, the K most confident, inside the graph: K x 6 numbers leave the device."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto

from export.graph import BATCH, add_constant, add_node, set_output

BOXES, SCORES = "boxes", "scores"
DETECTIONS = "detections"
TOP_K = 300


def keep_best(model: ModelProto, cells: int, classes: int, k: int = TOP_K) -> int:
    """Add `detections` (batch, K, 6): x1, y1, x2, y2, confidence, class; most confident first. Returns K.

    In two steps, which give what one over all cells and classes would: the K best pairs lie in the K cells
    with the best class, and sorting cells costs a fraction of sorting pairs.
    """
    rows = min(k, cells)
    k = min(k, rows * classes)
    best = add_node(model, "ReduceMax", [SCORES], "best_score", axes=[2], keepdims=0)
    add_node(model, "TopK", [best, _number(model, "rows", [rows])], "row_score", "row", axis=1)
    row = add_node(model, "Unsqueeze", ["row", _number(model, "last", [2])], "row_index")
    row_scores = add_node(model, "GatherND", [SCORES, row], "row_scores", batch_dims=1)
    flat = add_node(model, "Reshape", [row_scores, _number(model, "flat", [0, -1])], "pair_scores")
    add_node(model, "TopK", [flat, _number(model, "k", [k])], "confidence", "pair", axis=1)
    width = _number(model, "classes", [classes])
    place = add_node(model, "Div", ["pair", width], "pair_row")
    first = add_node(model, "Mul", [place, width], "pair_first")
    class_id = add_node(model, "Sub", ["pair", first], "class_index")
    class_float = add_node(model, "Cast", [class_id], "class_id", to=TensorProto.FLOAT)
    row_boxes = add_node(model, "GatherND", [BOXES, row], "row_boxes", batch_dims=1)
    index = add_node(model, "Unsqueeze", [place, _number(model, "last", [2])], "pair_row_index")
    boxes = add_node(model, "GatherND", [row_boxes, index], "best_boxes", batch_dims=1)
    columns = [
        add_node(model, "Unsqueeze", [name, _number(model, "last", [2])], f"{name}_column")
        for name in ("confidence", class_float)
    ]
    add_node(model, "Concat", [boxes, *columns], DETECTIONS, axis=2)
    set_output(model, DETECTIONS, [BATCH, k, 6])
    return k


def _number(model: ModelProto, name: str, values: list[int]) -> str:
    """A constant of whole numbers, put in once."""
    name = f"top_k/{name}"
    if all(tensor.name != name for tensor in model.graph.initializer):
        add_constant(model, name, np.array(values, np.int64))
    return name
