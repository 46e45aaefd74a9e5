"""Explicit Q/DQ by ONNX Runtime's quantiser, in the settings that TensorRT fuses.

Symmetric INT8 at the inputs of Conv, ConvTranspose, Gemm and MatMul and at their weights (per channel);
nothing at their outputs, so that a convolution and its activation stay one kernel; no quantised biases, which
TensorRT's parser refuses. The add of a residual reads its two floats and is quantised once, where the next
convolution takes it. Tensors that several layers read get one pair.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from edgeguard.errors import ModelError
from export.graph import initialisers

KINDS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_OPTIONS: dict[str, Any] = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "AddQDQPairToWeight": True,
    "DedicatedQDQPair": False,
    "ForceQuantizeNoInputCheck": True,
    "OpTypesToExcludeOutputQuantization": list(KINDS),
    "QDQOpTypePerChannelSupportToAxis": {"Conv": 0, "ConvTranspose": 1, "Gemm": 1, "MatMul": 1},
    "QDQDisableWeightAdjustForInt32Bias": True,
}


def layers(model: ModelProto) -> list[NodeProto]:
    """The nodes that can be quantised, in the order in which they run."""
    return [node for node in model.graph.node if node.op_type in KINDS]


def fed_tensors(model: ModelProto, names: Collection[str]) -> set[str]:
    """The activations that the layers `names` read: what needs a range."""
    constants = initialisers(model)
    return {
        tensor
        for node in layers(model)
        if node.name in names
        for tensor in node.input[:2]
        if tensor and tensor not in constants
    }


def quantise(model: ModelProto, limits: Mapping[str, float], names: Collection[str]) -> ModelProto:
    """A copy in which the layers `names` run in INT8; `limits` is the threshold of each tensor they read."""
    if missing := fed_tensors(model, names) - limits.keys():
        raise ModelError(f"no range was measured for {', '.join(sorted(missing))}: calibrate again")
    copy = ModelProto()
    copy.CopyFrom(model)
    if not names:
        return copy
    ranges = {
        name: (np.array(-limit, np.float32), np.array(limit, np.float32)) for name, limit in limits.items()
    }
    quantiser = QDQQuantizer(
        copy,
        True,  # per channel
        False,  # full range, not 7 bits
        QuantType.QInt8,
        QuantType.QInt8,
        TensorsData(CalibrationMethod.MinMax, ranges),
        list(names),
        [],
        list(KINDS),
        dict(_OPTIONS),
    )
    quantiser.quantize_model()
    quantiser.model.topological_sort()  # it appends Q and DQ at the end, where no checker accepts them
    quantised: ModelProto = quantiser.model.model
    _give_others_their_floats(quantised, names)
    return quantised


def _give_others_their_floats(model: ModelProto, names: Collection[str]) -> None:
    """Let what is no chosen layer read the tensor before Q/DQ; the quantiser lets it read the one after."""
    before_q = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"
    }
    before = {
        node.output[0]: before_q[node.input[0]]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in before_q
    }
    for node in model.graph.node:
        if node.name not in names:
            node.input[:] = [before.get(name, name) for name in node.input]
