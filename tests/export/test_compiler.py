"""What is exported here goes through the real TensorRT: parser and compiler, which need no GPU."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import ModelProto

from edgeguard.models.engines.compiler import compile_plan
from edgeguard.models.engines.order import Compiled, Order, Precision
from edgeguard.models.engines.trt import TensorRt
from export import graph
from export.qdq import layers, quantise
from tests.export.test_heads import compact
from tests.export.test_qdq import SOURCES, prepared

trt = pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX is not installed: pip install .[dev]")
TARGET = "8.6"


def compiled(model: ModelProto, folder: Path, precision: Precision) -> Compiled:
    graph.save(model, folder / "model.onnx")
    order = Order(str(folder / "model.onnx"), precision, "", best_batch=2, compute_capability=TARGET)
    return compile_plan(order, TensorRt(trt), lambda *_: None)[1]


@pytest.mark.parametrize("kind", SOURCES)
def test_decoding_and_top_k_compile_for_any_batch(kind: str, tmp_path: Path) -> None:
    made = compiled(compact(kind, SOURCES[kind]()), tmp_path, Precision.FP16)
    assert made.int8_layers == 0


@pytest.mark.parametrize("kind", SOURCES)
def test_every_chosen_layer_becomes_int8(kind: str, tmp_path: Path) -> None:
    _, limits, _ = prepared(kind)
    model = compact(kind, SOURCES[kind]())
    names = [node.name for node in layers(model)]
    quantised = graph.finish(quantise(model, limits, names), kind)
    made = compiled(quantised, tmp_path, Precision.INT8)
    assert made.weighted_layers == made.int8_layers > 0
