"""What INT8 saves on this CPU, and what our engine adds to a bare ONNX Runtime session.

    python tools/bench.py engine [--fp32 FILE] [--int8 FILE] [--pairs 100]

Everything is paired: the two that are compared take turns, run by run, on one thread, and its CPU time is
counted, so that whatever else the machine does meets both alike. Without `--int8` the FP32 model is quantised
here, plainly, in the places that make up 82 % of YOLOX-nano's arithmetic: its time is right, its accuracy is
not.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from edgeguard.models import HostEngine, OnnxSession
from edgeguard.models.cost import cost

MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared"))
MODEL = MIRROR / "models/detect/yolox_nano_416.onnx"
WARM_UP = 5
FLOAT_FIRST = 2
"""Convolutions at the start that stay in float."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fp32", type=Path, default=MODEL, help="the model in float (%(default)s)")
    parser.add_argument("--int8", type=Path, help="the same in INT8; default: made here")
    parser.add_argument("--pairs", type=int, default=100, help="runs of each (%(default)s)")


def run(args: argparse.Namespace) -> dict[str, object]:
    """Median milliseconds of each, the ratio INT8 over FP32, and our share on top of the bare session."""
    with tempfile.TemporaryDirectory() as folder:
        int8 = args.int8 or quantised(args.fp32, Path(folder))
        share = cost(int8).int8_mac_share
        float_engine, int8_engine = (_engine(path) for path in (args.fp32, int8))
    fp32_s, int8_s = _paired(_running(float_engine), _running(int8_engine), args.pairs)
    bare_s, ours_s = _paired(_bare(float_engine), _running(float_engine), args.pairs)
    return {
        "model": args.fp32.name,
        "fp32_ms": round(1e3 * fp32_s, 3),
        "int8_ms": round(1e3 * int8_s, 3),
        "int8_mac_share": round(share, 3),
        "bare_session_ms": round(1e3 * bare_s, 3),
        "engine_ms": round(1e3 * ours_s, 3),
        "int8_over_fp32_time": round(int8_s / fp32_s, 3),
        "infer_overhead": round(ours_s / bare_s - 1, 4),
    }


def quantised(fp32: Path, folder: Path) -> Path:
    """The model with Q/DQ around all but the first and the depthwise convolutions, from one picture."""
    model = version_converter.convert_version(onnx.load(fp32), 17)
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in held]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    newer, target = folder / "opset17.onnx", folder / "int8.onnx"
    onnx.save(model, newer)
    shape = [size.dim_value or 1 for size in inputs[0].type.tensor_type.shape.dim]

    class OnePicture(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds = iter([{inputs[0].name: _picture(tuple(shape))}])

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self._feeds, None)

    quantize_static(
        newer,
        target,
        OnePicture(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv"],
        nodes_to_exclude=_kept_in_float(model),
        extra_options={
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            "QuantizeBias": False,
            "AddQDQPairToWeight": True,
            "OpTypesToExcludeOutputQuantization": ["Conv"],
        },
    )
    return target


def _kept_in_float(model: Any) -> list[str]:
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    grouped = [
        node
        for node in convolutions
        if any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)
    ]
    return [node.name for node in (*convolutions[:FLOAT_FIRST], *grouped)]


def _picture(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def _engine(path: Path) -> HostEngine:
    engine = HostEngine(OnnxSession(path, path.stem))
    for slots in engine.slots.values():
        slots[:] = _picture(slots.shape)
    return engine


def _running(engine: HostEngine) -> Callable[[], object]:
    return lambda: engine.run(1)


def _bare(engine: HostEngine) -> Callable[[], object]:
    """The very session inside the engine, called as anybody would."""
    session, feeds, names = engine._session._session, dict(engine.slots), list(engine.outputs)  # type: ignore[attr-defined]
    return lambda: session.run(names, feeds)


def _paired(first: Callable[[], object], second: Callable[[], object], pairs: int) -> tuple[float, float]:
    """Median CPU-seconds of each, who comes first in turn; the runs are this thread's alone."""
    taken: tuple[list[float], list[float]] = ([], [])
    both = list(zip((first, second), taken, strict=True))
    for number in range(pairs + WARM_UP):
        for one, times in both if number % 2 else reversed(both):
            started = time.thread_time()
            one()
            if number >= WARM_UP:
                times.append(time.thread_time() - started)
    return median(taken[0]), median(taken[1])
