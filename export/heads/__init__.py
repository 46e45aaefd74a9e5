"""Decoding inside the graph, one file per family of detectors.

Belongs here: what turns a family's raw outputs into `boxes` and `scores`, as nodes of the graph.
Does not belong here: choosing the best of them (`top_k.py` does for all), doubles (vision).
May import: export.graph; onnx.
Called by: export.onnx.
To add one, copy `nanodet.py`.
"""

from collections.abc import Callable

from onnx import ModelProto

from edgeguard.models import InputSpec
from export.heads.detr import decode_detr
from export.heads.nanodet import decode_nanodet
from export.heads.top_k import BOXES, SCORES, keep_best
from export.heads.yolox import decode_yolox

HEADS: dict[str, Callable[[ModelProto, InputSpec], None]] = {
    "yolox": decode_yolox,
    "nanodet": decode_nanodet,
    "detr": decode_detr,
}
"""Each adds the tensors `boxes` (batch, cells, 4), in pixels, and `scores` (batch, cells, classes)."""

__all__ = ["BOXES", "HEADS", "SCORES", "keep_best"]
