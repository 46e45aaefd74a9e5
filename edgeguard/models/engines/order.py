"""What is asked of the compiler, and what it says: values that cross the border between two processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Precision(str, Enum):
    INT8 = "int8"
    """What Q/DQ marks in INT8, the rest in FP16."""
    FP16 = "fp16"
    FP32 = "fp32"


@dataclass(frozen=True, slots=True)
class Order:
    """One plan to be made."""

    onnx: str
    precision: Precision
    plan: str
    """Where to write it; the one who asked gives it its name when it has proved itself."""
    best_batch: int = 1
    """Pictures at once that it is made quickest for: one of each camera."""
    max_batch: int = 8
    workspace_bytes: int = 1 << 30
    level: int = 3
    """How hard the compiler looks for quick kernels, 0 to 5."""
    timing_cache: str | None = None
    """File with what was measured before; made and brought up to date."""
    compute_capability: str | None = None
    """Compile for this GPU instead of the one here (`8.6`), where TensorRT can."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What came of it."""

    tensorrt: str
    weighted_layers: int
    """Convolutions and matrix products in the engine, as far as the compiler tells."""
    int8_layers: int
    """Those of them that read INT8."""
    flags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
