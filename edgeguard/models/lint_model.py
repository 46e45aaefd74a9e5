"""Rules on the file as a whole and on its operators: each yields node, what is wrong, and the fix."""

from __future__ import annotations

from collections.abc import Iterator

from edgeguard.models.lint_qdq import QUANTISERS, scale_size
from edgeguard.models.onnx_graph import Graph, name_of

OPSETS = (9, 20)
MAX_IR = 10
PER_CHANNEL_OPSET = 13
TOP_K_LIMIT = 3840

UNSUPPORTED = frozenset(
    """
    AffineGrid Attention Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow
    CenterCropPad Col2Im Compress ConcatFromSequence DFT DeformConv Det HammingWindow HannWindow
    ImageDecoder MaxRoiPool MaxUnpool MelWeightMatrix Multinomial NegativeLogLikelihoodLoss Optional
    OptionalGetElement OptionalHasElement RMSNormalization RegexFullMatch RotaryEmbedding SequenceAt
    SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap
    SoftmaxCrossEntropyLoss SplitToSequence STFT StringConcat StringNormalizer StringSplit Swish
    TensorScatter TfIdfVectorizer Unique
    """.split()  # noqa: SIM905 - a list of words reads better so
)
"""Operators that the parser does not know; those of integer arithmetic have a rule of their own."""

DATA_DEPENDENT = frozenset({"NonZero", "NonMaxSuppression"})

Found = Iterator[tuple[str, str, str]]


def opset(graph: Graph) -> Found:
    low, high = OPSETS
    if not low <= graph.opset <= high:
        yield "", f"opset {graph.opset} is outside {low} to {high}", "export with opset 17"
    per_channel = any(node.op_type in QUANTISERS and scale_size(graph, node) > 1 for node in graph.nodes)
    if per_channel and graph.opset < PER_CHANNEL_OPSET:
        yield "", f"opset {graph.opset} has no per-channel scales", "export with opset 17"


def ir_version(graph: Graph) -> Found:
    if graph.model.ir_version > MAX_IR:
        yield "", f"IR version {graph.model.ir_version} is newer than {MAX_IR}", "save it with IR version 9"


def operators(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type in UNSUPPORTED:
            yield name_of(node), f"operator {node.op_type} is not supported", "export without it"
        elif node.domain not in ("", "ai.onnx"):
            kind = f"{node.domain}.{node.op_type}"
            yield name_of(node), f"operator {kind} is not one of ONNX", "export with standard operators"


def top_k(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type != "TopK" or len(node.input) < 2:
            continue
        count = graph.value(node.input[1])
        if count is None:
            yield name_of(node), "K is not a constant", "fold constants before exporting"
        elif int(count.ravel()[0]) > TOP_K_LIMIT:
            yield name_of(node), f"K is {int(count.ravel()[0])}, at most {TOP_K_LIMIT} work", "keep fewer"


def data_dependent(graph: Graph) -> Found:
    for node in graph.nodes:
        if node.op_type in DATA_DEPENDENT:
            what = f"{node.op_type} has an output whose size depends on the data: no CUDA graph can hold it"
            yield name_of(node), what, "keep a fixed number with TopK"


def free_sizes(graph: Graph) -> Found:
    for value in graph.model.graph.input:
        shape = value.type.tensor_type.shape.dim
        if value.name in graph.inputs and any(not item.HasField("dim_value") for item in shape[1:]):
            yield "", f"input {value.name} is free beyond its batch", "export with fixed height and width"
