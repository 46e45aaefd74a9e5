"""The real TensorRT, as far as it goes without a GPU: parser and compiler, through TensorRT for RTX."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
import pytest

from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from edgeguard.models.engines.apart import compile_apart
from edgeguard.models.engines.compiler import compile_plan
from edgeguard.models.engines.order import Compiled, Order, Precision
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt
from edgeguard.models.lint import lint
from edgeguard.types import ModelRef
from tests.models.engines.exports import GOOD_SCALE, detector
from tests.models.graphs import plain, quantised, saved
from tests.models.test_lint import BAD

trt = pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX is not installed: pip install .[dev]")
RTX = TensorRt(trt)
TARGET = "8.6"


def compiled(path: Path, precision: Precision, **more: object) -> tuple[bytes, Compiled]:
    order = Order(str(path), precision, "", best_batch=2, compute_capability=TARGET, **more)  # type: ignore[arg-type]
    return compile_plan(order, RTX, lambda _phase, _step, _steps: None)


def test_its_surface_is_that_of_eleven() -> None:
    assert not RTX.weakly_typed
    assert RTX.compiles_for_others
    assert RTX.reports_progress
    assert RTX.network_flags() == 0


@pytest.mark.parametrize("graph", [quantised(), detector(GOOD_SCALE)], ids=["relu", "compact detector"])
def test_what_qdq_marks_really_runs_in_int8(tmp_path: Path, graph: onnx.ModelProto) -> None:
    plan, made = compiled(saved(graph, tmp_path), Precision.INT8)
    assert len(plan) > 10_000
    assert made.weighted_layers == made.int8_layers == 1
    assert made.tensorrt.startswith("tensorrt_rtx ")


@pytest.mark.parametrize("precision", [Precision.FP16, Precision.FP32])
def test_without_qdq_nothing_does(tmp_path: Path, precision: Precision) -> None:
    _, made = compiled(saved(plain(), tmp_path), precision)
    assert (made.weighted_layers, made.int8_layers) == (1, 0)


def test_int8_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no layer of .* became INT8"):
        compiled(saved(plain(), tmp_path), Precision.INT8)


def test_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    order = Order(str(saved(quantised(), tmp_path)), Precision.INT8, "", compute_capability=TARGET)
    compile_plan(order, RTX, lambda *step: told.append(step))
    assert told
    assert all(0 < step <= steps for _, step, steps in told)


def test_a_gpu_that_it_does_not_know_is_told(tmp_path: Path) -> None:
    order = Order(str(saved(plain(), tmp_path)), Precision.FP32, "", compute_capability="5.3")
    with pytest.raises(ModelError, match=r"not for 5\.3"):
        compile_plan(order, RTX, lambda *_: None)


@pytest.mark.filterwarnings("ignore:Use Deprecated in TensorRT-RTX")
def test_a_damaged_timing_cache_is_begun_anew(tmp_path: Path) -> None:
    cache = tmp_path / "timing.cache"
    cache.write_bytes(b"damaged" * 100)
    _, made = compiled(saved(quantised(), tmp_path), Precision.INT8, timing_cache=str(cache))
    assert made.int8_layers == 1
    assert not cache.read_bytes().startswith(b"damaged")


def test_compiles_in_a_process_of_its_own(tmp_path: Path) -> None:
    order = Order(
        str(saved(quantised(), tmp_path)),
        Precision.INT8,
        str(tmp_path / "plan"),
        timing_cache=str(tmp_path / "timing.cache"),
        compute_capability=TARGET,
    )
    made = compile_apart(order, lambda *_: None)
    assert made.int8_layers == 1
    assert (tmp_path / "plan").stat().st_size > 10_000


REFUSED_BY_RTX = (
    "unknown operator", "integer operator", "asymmetric", "wrong axis", "int32 bias", "scale of zero"
)  # fmt: skip
"""What lint calls an error and the newest parser or compiler still refuses; the rest are limits of 10.3."""


@pytest.mark.parametrize("name", REFUSED_BY_RTX)
def test_what_lint_calls_an_error_the_parser_refuses(tmp_path: Path, name: str) -> None:
    _, graph = BAD[name]
    logger = RTX.logger()
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    accepted = trt.OnnxParser(network, logger).parse(graph.SerializeToString())
    if accepted:
        config = builder.create_builder_config()
        config.num_compute_capabilities = 1
        config.set_compute_capability(trt.ComputeCapability.SM86, 0)
        picture = network.get_input(0)
        profile = builder.create_optimization_profile()
        profile.set_shape(picture.name, *[(1, *tuple(picture.shape)[1:])] * 3)
        config.add_optimization_profile(profile)
        accepted = builder.build_serialized_network(network, config) is not None
    assert not accepted


@pytest.mark.parametrize("name", ["uint8", "unknown operator", "int32 bias"])
def test_the_compiler_stops_at_what_lint_says(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=r"small\.onnx is not for TensorRT: error \["):
        compiled(saved(BAD[name][1], tmp_path), Precision.INT8)


def test_compiles_a_real_detector(tmp_path: Path, mirror: Path) -> None:
    path = tmp_path / "yolox.onnx"
    shutil.copy(mirror / "models/detect/yolox_nano_416.onnx", path)
    assert not lint(path)
    plan, made = compiled(path, Precision.FP16)
    assert made.weighted_layers == 113
    assert len(plan) > 1_000_000


def test_a_plan_without_its_gpu_is_refused_in_a_sentence(tmp_path: Path, cuda: CtypesCuda) -> None:
    plan, _ = compiled(saved(plain(), tmp_path), Precision.FP32)
    with pytest.raises(ModelError, match="TensorRT refuses the engine of small"):
        TensorRtEngine(plan, ModelRef("small", None, "tensorrt"), RTX, cuda)
