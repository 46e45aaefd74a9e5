"""The decoding of RT-DETR and D-FINE as nodes: one box and one logit per class for each query, no doubles."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec
from export.graph import add_constant, add_node
from export.heads.top_k import BOXES, SCORES


def decode_detr(model: ModelProto, spec: InputSpec) -> None:
    """From `logits` (batch, queries, classes) and `pred_boxes` (batch, queries, 4), relative cx, cy, w, h."""
    names = {value.name for value in model.graph.output}
    if not {"logits", "pred_boxes"} <= names:
        raise ModelError(
            f"the outputs are {', '.join(sorted(names))}, expected logits and pred_boxes: export the network "
            f"without its own post-processing"
        )
    add_node(model, "Sigmoid", ["logits"], SCORES)
    halves = add_constant(model, "detr/halves", np.array([2, 2], np.int64))
    add_node(model, "Split", ["pred_boxes", halves], "detr/centre", "detr/size", axis=2)
    half = add_node(
        model, "Mul", ["detr/size", add_constant(model, "detr/half", np.array(0.5, np.float32))], "detr/reach"
    )
    low = add_node(model, "Sub", ["detr/centre", half], "detr/low")
    high = add_node(model, "Add", ["detr/centre", half], "detr/high")
    relative = add_node(model, "Concat", [low, high], "detr/relative", axis=2)
    size = np.array([spec.width_px, spec.height_px] * 2, np.float32)
    add_node(model, "Mul", [relative, add_constant(model, "detr/pixels", size)], BOXES)
