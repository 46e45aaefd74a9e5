"""FP16 where TensorRT no longer has a flag for it: the network itself is converted."""

from __future__ import annotations

from pathlib import Path

from edgeguard.errors import DependencyError, ModelError
from edgeguard.models.lint_qdq import QUANTISERS
from edgeguard.models.onnx_graph import parse_graph


def to_half(data: bytes, path: Path) -> bytes:
    """The model with FP16 inside and its inputs, outputs and scales in FP32. ModelError if that cannot be."""
    graph = parse_graph(data, path)
    try:
        from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
    except ImportError as error:
        raise DependencyError("onnxruntime is not installed: `pip install onnxruntime`") from error
    blocked = [*DEFAULT_OP_BLOCK_LIST, *QUANTISERS]
    try:
        half = convert_float_to_float16(graph.model, keep_io_types=True, op_block_list=blocked)
    except Exception as error:  # its exceptions share no base class
        raise ModelError(f"{path} cannot be converted to FP16 ({error}): build it in FP32") from error
    return bytes(half.SerializeToString())
