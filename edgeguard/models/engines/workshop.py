"""Building a model's engine: the best precision that compiles and passes the gate, and nothing twice."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.cuda.driver import CudaDriver, GpuLostError, open_cuda
from edgeguard.errors import DependencyError, ModelError
from edgeguard.models.engines.apart import compile_apart
from edgeguard.models.engines.compiler import Tell
from edgeguard.models.engines.fingerprint import Basis, Fingerprint, basis_of, driver_release
from edgeguard.models.engines.gate import RefusedError, judge
from edgeguard.models.engines.order import Compiled, Order, Precision
from edgeguard.models.engines.shelf import Plan, Shelf
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.trt import TensorRt, load_tensorrt
from edgeguard.models.exported import Exported
from edgeguard.models.files import sha256_of
from edgeguard.types import ModelRef

Say = Callable[[str], None]
"""Told what is done and why, one sentence at a time."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What builds and runs engines here."""

    tensorrt: TensorRt
    cuda: CudaDriver


def open_machine() -> Machine:
    """DependencyError without TensorRT or a driver, ModelError without a GPU."""
    cuda = open_cuda()  # first, since a machine without a GPU need not load TensorRT to know
    try:
        return Machine(load_tensorrt(), cuda)
    except DependencyError:
        cuda.close()
        raise


@dataclass(frozen=True, slots=True)
class Effort:
    """What building may take."""

    cameras: int = 1
    max_batch: int = 8
    level: int = 3
    memory_bytes: int = 0
    """The most that the compiler's process may allocate; 0: no limit but the machine's."""


def candidates(exported: Exported) -> list[Precision]:
    """Best first."""
    first = [Precision.INT8] if "int8" in exported.variants else []
    return [*first, Precision.FP16, Precision.FP32]


def variant_of(precision: Precision) -> str:
    return "int8" if precision is Precision.INT8 else "fp32"


def basis_now(exported: Exported, precision: Precision, machine: Machine, effort: Effort) -> Basis:
    """What a plan made now would depend on."""
    best = min(max(effort.cameras, 1), effort.max_batch)
    return basis_of(
        model=exported.name,
        onnx_sha256=exported.variants[variant_of(precision)].sha256,
        calibration_sha256=exported.calibration_sha256 if precision is Precision.INT8 else None,
        precision=precision,
        batches=(best, effort.max_batch),
        level=effort.level,
        tensorrt=machine.tensorrt.version,
        gpu=machine.cuda.gpu,
        driver=driver_release(),
    )


def engine_of(plan: Plan, exported: Exported, machine: Machine) -> TensorRtEngine:
    """The plan at work; its reference carries the SHA-256 of the ONNX file that it was made from."""
    basis = plan.fingerprint.basis
    model = ModelRef(exported.name, basis.onnx_sha256, f"tensorrt-{basis.precision.value}")
    return TensorRtEngine(plan.data, model, machine.tensorrt, machine.cuda)


class Workshop:
    """Builds the engine of one model."""

    def __init__(
        self,
        exported: Exported,
        shelf: Shelf,
        machine: Machine,
        effort: Effort,
        clock: Clock,
        say: Say,
        tell: Tell,
    ) -> None:
        self._exported = exported
        self._shelf = shelf
        self._machine = machine
        self._effort = effort
        self._clock = clock
        self._say = say
        self._tell = tell

    def build(self, *, anew: bool = False) -> Fingerprint:
        """The engine in use afterwards; `anew` makes it even if the one here serves.

        What does not compile or does not pass gives way to the next precision, and is said.
        ModelError if none is left.
        """
        faults = []
        with self._shelf.building():
            for precision in candidates(self._exported):
                try:
                    return self._made(precision, anew)
                except GpuLostError:
                    raise
                except ModelError as error:
                    faults.append(f"{precision.value}: {error}")
                    self._say(f"{self._exported.name}: {precision.value.upper()} IS NOT USED: {error}")
        raise ModelError(f"no engine for {self._exported.name}: {'; '.join(faults)}")

    def _made(self, precision: Precision, anew: bool) -> Fingerprint:
        basis = basis_now(self._exported, precision, self._machine, self._effort)
        if not anew:
            refusal = self._shelf.refusal(basis)
            if refusal is not None:
                raise RefusedError(f"{refusal} (found before; `--again` tries once more)")
        reasons = ["it was asked for"] if anew else self._shelf.reasons(basis)
        if not reasons:
            self._say(f"{basis.model}: the {precision.value} engine is current")
            return self._shelf.load(precision.value).fingerprint
        self._say(f"{basis.model}: building the {precision.value} engine, because {'; '.join(reasons)}")
        return self._build(basis)

    def _build(self, basis: Basis) -> Fingerprint:
        new = self._shelf.new(basis.precision.value)
        order = Order(
            onnx=str(self._exported.verified(variant_of(basis.precision))),
            precision=basis.precision,
            plan=str(new),
            best_batch=basis.best_batch,
            max_batch=basis.max_batch,
            level=basis.level,
            workspace_bytes=min(1 << 30, self._machine.cuda.gpu.memory_bytes * 2 // 5),
            timing_cache=str(self._shelf.timing_cache),
        )
        start_ns = self._clock.monotonic_ns()
        try:
            compiled = compile_apart(order, self._tell, self._effort.memory_bytes)
            build_s = (self._clock.monotonic_ns() - start_ns) / 1e9
            return self._judged(new, self._noted(new, basis, compiled, build_s))
        finally:
            new.unlink(missing_ok=True)

    def _judged(self, new: Path, built: Fingerprint) -> Fingerprint:
        plan = Plan(new.read_bytes(), built)
        engine = engine_of(plan, self._exported, self._machine)
        try:
            verdict = judge(engine, self._exported, self._clock)
        except RefusedError as error:
            self._shelf.refuse(new, dataclasses.replace(built, refused=str(error)))
            raise
        finally:
            engine.close()
        accepted = dataclasses.replace(
            built,
            latency_ms=round(verdict.latency_ms, 4),
            golden_recall=verdict.golden_recall,
            golden_precision=verdict.golden_precision,
        )
        self._shelf.put(new, accepted)
        self._say(f"{built.basis.model}: {verdict.said}; {verdict.latency_ms:.2f} ms a picture")
        return accepted

    def _noted(self, new: Path, basis: Basis, compiled: Compiled, build_s: float) -> Fingerprint:
        utc = datetime.datetime.fromtimestamp(self._clock.utc_ns() / 1e9, datetime.timezone.utc)
        return Fingerprint(
            basis,
            sha256_of(new),
            new.stat().st_size,
            compiled.flags,
            compiled.weighted_layers,
            compiled.int8_layers,
            round(build_s, 3),
            None,
            None,
            None,
            utc.isoformat(timespec="seconds"),
        )


def usable(exported: Exported, shelf: Shelf, machine: Machine) -> Iterator[Precision]:
    """The precisions whose plan may run here now, best first."""
    for precision in candidates(exported):
        if not shelf.reasons(basis_now(exported, precision, machine, Effort()), vital=True):
            yield precision
