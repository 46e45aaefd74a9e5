"""YOLOX's decoding as nodes: what `edgeguard.vision.yolox` does, for all cells at once."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec
from edgeguard.vision.network import cell_grid
from edgeguard.vision.yolox import STRIDES
from export.graph import add_constant, add_node
from export.heads.top_k import BOXES, SCORES


def decode_yolox(model: ModelProto, spec: InputSpec) -> None:
    """From the output (batch, cells, 5 + classes): x, y, log width, log height, objectness, classes."""
    (output,) = model.graph.output
    grids = [cell_grid(spec.height_px, spec.width_px, stride) for stride in STRIDES]
    strides = np.repeat(np.array(STRIDES, np.float32), [len(grid) for grid in grids])[None, :, None]
    sizes = [dim.dim_value for dim in output.type.tensor_type.shape.dim]
    if len(sizes) != 3 or sizes[1] != strides.shape[1] or sizes[2] < 6:
        raise ModelError(
            f"the output {output.name} has the shape {sizes}, expected (batch, {strides.shape[1]}, "
            f"5 + classes): this is no YOLOX of {spec.width_px}x{spec.height_px} pixels"
        )
    parts = add_constant(model, "yolox/parts", np.array([2, 2, 1, sizes[2] - 5], np.int64))
    names = ["yolox/offset", "yolox/log_size", "yolox/objectness", "yolox/classes"]
    add_node(model, "Split", [output.name, parts], *names, axis=2)
    cells = add_constant(model, "yolox/cells", np.concatenate(grids)[None])
    stride = add_constant(model, "yolox/strides", strides)
    half_stride = add_constant(model, "yolox/half_strides", strides / 2)
    in_cells = add_node(model, "Add", ["yolox/offset", cells], "yolox/in_cells")
    centre = add_node(model, "Mul", [in_cells, stride], "yolox/centre")
    size = add_node(model, "Exp", ["yolox/log_size"], "yolox/size")
    half = add_node(model, "Mul", [size, half_stride], "yolox/half")
    low = add_node(model, "Sub", [centre, half], "yolox/low")
    high = add_node(model, "Add", [centre, half], "yolox/high")
    add_node(model, "Concat", [low, high], BOXES, axis=2)
    add_node(model, "Mul", ["yolox/objectness", "yolox/classes"], SCORES)
