"""From an ONNX file to a plan. TensorRT takes gigabytes and minutes, so this runs in a process of its own:

    python -m edgeguard.models.engines.compiler < order.json

It answers with one JSON object a line: `{"phase": ..., "step": ..., "steps": ...}` while it works, and at the
end `{"compiled": {...}}` or `{"fault": "..."}`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from edgeguard.errors import EdgeGuardError, ModelError
from edgeguard.files import write_whole
from edgeguard.models.engines.half import to_half
from edgeguard.models.engines.layers import count
from edgeguard.models.engines.order import Compiled, Order, Precision
from edgeguard.models.engines.trt import TensorRt, load_tensorrt
from edgeguard.models.lint import lint_graph
from edgeguard.models.onnx_graph import load_graph

Tell = Callable[[str, int, int], None]
"""Phase, step, steps."""

NICENESS = 10
_SHOWN = 3


def compile_plan(order: Order, tensorrt: TensorRt, tell: Tell) -> tuple[bytes, Compiled]:
    """The plan and what it is made of. ModelError says what lint or TensorRT has against the model."""
    logger = tensorrt.logger(verbose=True)
    builder = tensorrt.module.Builder(logger)
    network = _parsed(order, tensorrt, builder, logger)
    config, flags = _config(order, tensorrt, builder, network, tell)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ModelError(f"TensorRT cannot compile {order.onnx}: {logger.faults()}")
    _keep_timings(order, config)
    lines = [text for _, text in logger.lines]
    weighted, int8 = count(line for text in lines for line in text.splitlines())
    warnings = tuple(dict.fromkeys(text for severity, text in logger.lines if severity == "WARNING"))
    if order.precision is Precision.INT8 and weighted and not int8:
        raise ModelError(f"no layer of {order.onnx} became INT8: look at it with `edgeguard engines lint`")
    return bytes(plan), Compiled(tensorrt.version, weighted, int8, flags, warnings[:_SHOWN])


def _parsed(order: Order, tensorrt: TensorRt, builder: Any, logger: Any) -> Any:
    path = Path(order.onnx)
    graph = load_graph(path)
    wrong = [str(finding) for finding in lint_graph(graph) if finding.level == "error"]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ModelError(f"{path} is not for TensorRT: {'; '.join(wrong[:_SHOWN])}{more}")
    data = graph.model.SerializeToString()
    if order.precision is not Precision.FP32 and not tensorrt.weakly_typed:
        data = to_half(data, path)
    network = builder.create_network(tensorrt.network_flags())
    parser = tensorrt.module.OnnxParser(network, logger)
    if not parser.parse(data):
        errors = (parser.get_error(number) for number in range(parser.num_errors))
        said = "; ".join(f"{error.node_name()}: {error.desc()}".removeprefix(": ") for error in errors)
        raise ModelError(f"TensorRT cannot read {path}: {said or logger.faults()}")
    return network


def _config(
    order: Order, tensorrt: TensorRt, builder: Any, network: Any, tell: Tell
) -> tuple[Any, tuple[str, ...]]:
    trt = tensorrt.module
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, order.workspace_bytes)
    config.builder_optimization_level = order.level
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    flags = _flags(order, tensorrt)
    for flag in flags:
        config.set_flag(getattr(trt.BuilderFlag, flag))
    if order.compute_capability:
        _set_target(config, tensorrt, order.compute_capability)
    if order.timing_cache:
        _use_timings(config, _bytes(Path(order.timing_cache)))
    if tensorrt.reports_progress:
        config.progress_monitor = _monitor(trt, tell)
    _add_profile(order, builder, network, config)
    return config, flags


def _flags(order: Order, tensorrt: TensorRt) -> tuple[str, ...]:
    """A weakly typed network wants INT8 said even where Q/DQ says it, else it is refused."""
    if not tensorrt.weakly_typed or order.precision is Precision.FP32:
        return ()
    return ("FP16", "INT8") if order.precision is Precision.INT8 else ("FP16",)


def _set_target(config: Any, tensorrt: TensorRt, compute_capability: str) -> None:
    name = f"SM{compute_capability.replace('.', '')}"
    kinds = getattr(tensorrt.module, "ComputeCapability", None)
    if kinds is None or not hasattr(kinds, name):
        raise ModelError(f"{tensorrt.version} compiles only on the GPU itself, not for {compute_capability}")
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(kinds, name), 0)


def _add_profile(order: Order, builder: Any, network: Any, config: Any) -> None:
    profile, free = builder.create_optimization_profile(), False
    for number in range(network.num_inputs):
        tensor = network.get_input(number)
        first, *rest = tensor.shape
        if min(rest, default=1) < 0:
            raise ModelError(f"{order.onnx}: input {tensor.name} is free beyond its batch: export it fixed")
        if first < 0:
            free = True
            best = min(order.best_batch, order.max_batch)
            profile.set_shape(tensor.name, (1, *rest), (best, *rest), (order.max_batch, *rest))
    if free:
        config.add_optimization_profile(profile)


def _monitor(trt: Any, tell: Tell) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._steps: dict[str, int] = {}

        def phase_start(self, phase: str, _parent: str | None, steps: int) -> None:
            self._steps[phase] = steps

        def step_complete(self, phase: str, step: int) -> bool:
            tell(phase, step + 1, self._steps.get(phase, 0))
            return True

        def phase_finish(self, phase: str) -> None:
            self._steps.pop(phase, None)

    return Monitor()


def _use_timings(config: Any, kept: bytes) -> None:
    """What was measured before; a cache of another TensorRT or GPU, or a damaged one, is begun anew."""
    cache = config.create_timing_cache(kept)
    if cache is None or not config.set_timing_cache(cache, False):
        config.set_timing_cache(config.create_timing_cache(b""), False)


def _keep_timings(order: Order, config: Any) -> None:
    """The next build starts from what this one measured. A cache that cannot be kept costs only time."""
    cache = config.get_timing_cache() if order.timing_cache else None
    if order.timing_cache and cache is not None:
        with suppress(OSError):
            write_whole(Path(order.timing_cache), bytes(cache.serialize()))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ModelError(f"cannot read the timing cache {path} ({error.strerror}): remove it") from error


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _humble(memory_bytes: int) -> None:
    """The guard goes on meanwhile: take what time is left, and be the first to go when memory is short."""
    os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    if memory_bytes:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def main() -> NoReturn:
    """Exit code 0 with a plan, 1 without."""
    request = json.load(sys.stdin)
    _humble(int(request.pop("memory_bytes", 0)))
    order = Order(**{**request, "precision": Precision(request["precision"])})
    try:
        plan, compiled = compile_plan(
            order,
            load_tensorrt(),
            lambda phase, step, steps: _say({"phase": phase, "step": step, "steps": steps}),
        )
        write_whole(Path(order.plan), plan)
    except EdgeGuardError as error:
        _say({"fault": str(error)})
        sys.exit(1)
    except OSError as error:
        _say({"fault": f"cannot write {order.plan} ({error.strerror}): free some space"})
        sys.exit(1)
    except MemoryError:
        _say({"fault": f"not enough memory to compile {order.onnx}: stop other programs, or allow more"})
        sys.exit(1)
    _say({"compiled": dataclasses.asdict(compiled)})
    sys.exit(0)


if __name__ == "__main__":
    main()
