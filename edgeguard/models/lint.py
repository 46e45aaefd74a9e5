"""What TensorRT's parser will say of an ONNX file, said before it is on the device.

The rules are those of the parser of TensorRT 10.3 (JetPack 6), which later ones only relax, and the places
of Q/DQ that its optimiser turns into INT8 kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeguard.errors import ModelError
from edgeguard.models import lint_model, lint_qdq
from edgeguard.models.onnx_graph import Graph, load_graph

RULES: dict[str, tuple[str, Callable[[Graph], Iterator[tuple[str, str, str]]]]] = {
    "opset": ("error", lint_model.opset),
    "ir-version": ("error", lint_model.ir_version),
    "operator": ("error", lint_model.operators),
    "integer-operator": ("error", lint_qdq.integer_operators),
    "dynamic-scale": ("error", lint_qdq.dynamic_scales),
    "zero-point": ("error", lint_qdq.zero_points),
    "scale": ("error", lint_qdq.scales),
    "half-scale": ("error", lint_qdq.half_scales),
    "int32-bias": ("error", lint_qdq.integer_biases),
    "per-channel": ("error", lint_qdq.per_channel),
    "pair": ("error", lint_qdq.pairs),
    "top-k": ("error", lint_model.top_k),
    "half-quantised": ("warning", lint_qdq.half_quantised),
    "before-activation": ("warning", lint_qdq.before_activation),
    "data-dependent": ("warning", lint_model.data_dependent),
    "free-size": ("warning", lint_model.free_sizes),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or that will cost speed."""

    rule: str
    level: str
    """`error`: the parser refuses, or the result is wrong; `warning`: it is slower than it need be."""
    node: str
    """The node's name, or empty where the whole file is meant."""
    what: str
    fix: str

    def __str__(self) -> str:
        place = f" {self.node}:" if self.node else ""
        return f"{self.level} [{self.rule}]{place} {self.what}: {self.fix}"


def lint(path: Path) -> list[Finding]:
    """All findings, errors first; ModelError if the file cannot be read as ONNX at all."""
    return lint_graph(load_graph(path))


def lint_graph(graph: Graph) -> list[Finding]:
    try:
        found = [
            Finding(name, level, *finding) for name, (level, rule) in RULES.items() for finding in rule(graph)
        ]
    except (IndexError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{graph.path} has a node that is no ONNX ({error}): export it again") from error
    return sorted(found, key=lambda finding: finding.level != "error")
