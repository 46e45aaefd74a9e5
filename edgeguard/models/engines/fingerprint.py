"""What a plan was made from. Where any of it differs today, the plan is made again, and this says why."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeguard.cuda.driver import Gpu
from edgeguard.models.engines.order import Precision

BUILDER = 1
"""Counts changes of the compiler that old plans should not survive."""

L4T_RELEASE = Path("/etc/nv_tegra_release")


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything that a plan depends on, before it is made."""

    model: str
    onnx_sha256: str
    calibration_sha256: str | None
    precision: Precision
    best_batch: int
    max_batch: int
    level: int
    tensorrt: str
    cuda: str
    driver: str
    """L4T release on a Jetson, else the kernel driver's version."""
    compute_capability: str
    gpu: str
    multiprocessors: int
    builder: int = BUILDER

    def differences(self, now: Basis, *, vital: bool = False) -> list[str]:
        """Why a plan made from this is not what would be made now, one reason each; empty if it is.

        `vital`: only those with which it must not run, not those with which it is slower than it could be.
        """
        reasons = []
        for item in dataclasses.fields(Basis):
            old, new = getattr(self, item.name), getattr(now, item.name)
            if old != new and not (vital and item.name in _TUNING):
                reasons.append(f"{_SPOKEN[item.name]} was {_shown(old)} and is {_shown(new)}")
        return reasons


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A basis and what came of it; kept as JSON beside the plan."""

    basis: Basis
    plan_sha256: str
    plan_bytes: int
    flags: tuple[str, ...]
    weighted_layers: int
    int8_layers: int
    build_s: float
    latency_ms: float | None
    """Median of one picture on this device; None where it was not run."""
    golden_recall: float | None
    golden_precision: float | None
    built_utc: str
    refused: str | None = None
    """Why the plan was thrown away, so that it is not made again at every start; None if it is in use."""

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def fingerprint_from(values: dict[str, Any]) -> Fingerprint:
    """The same back from JSON; TypeError, ValueError or KeyError if it is none."""
    basis = Basis(**{**values["basis"], "precision": Precision(values["basis"]["precision"])})
    return Fingerprint(**{**values, "basis": basis, "flags": tuple(values["flags"])})


def driver_release(l4t: Path = L4T_RELEASE, module: Path = Path("/sys/module/nvidia/version")) -> str:
    """`R36 (release), REVISION: 4.3` on a Jetson, the driver's number elsewhere, else `unknown`."""
    for path in (l4t, module):
        try:
            line = path.read_text(encoding="utf-8", errors="replace").splitlines()[0]
        except (OSError, IndexError):
            continue
        return ",".join(line.split(",")[:2]).lstrip("# ").strip()
    return "unknown"


def basis_of(
    *,
    model: str,
    onnx_sha256: str,
    calibration_sha256: str | None,
    precision: Precision,
    batches: tuple[int, int],
    level: int,
    tensorrt: str,
    gpu: Gpu,
    driver: str,
) -> Basis:
    """What a plan made now would depend on; `batches` are the best and the largest."""
    return Basis(
        model,
        onnx_sha256,
        calibration_sha256,
        precision,
        *batches,
        level,
        tensorrt,
        gpu.cuda,
        driver,
        gpu.compute_capability,
        gpu.name,
        gpu.multiprocessors,
    )


def _shown(value: object) -> str:
    if isinstance(value, Precision):
        return value.value
    if value is None:
        return "none"
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 else text


_TUNING = frozenset({"best_batch", "max_batch", "level"})
_SPOKEN = {
    "model": "the model",
    "onnx_sha256": "the ONNX file's SHA-256",
    "calibration_sha256": "the calibration set's SHA-256",
    "precision": "the precision",
    "best_batch": "the number of cameras",
    "max_batch": "the largest batch",
    "level": "the optimisation level",
    "tensorrt": "TensorRT",
    "cuda": "CUDA",
    "driver": "the driver",
    "compute_capability": "the compute capability",
    "gpu": "the GPU",
    "multiprocessors": "the number of multiprocessors",
    "builder": "EdgeGuard's compiler",
}
