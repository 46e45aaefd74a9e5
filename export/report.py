"""The tables that a person reads: the frontier, the layers left in float, the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from export.judge import Verdict
from export.progress import console
from export.search import Found, Point
from export.sensitivity import Layer

WORST = 15


def show_frontier(found: Found) -> None:
    """Drop against INT8 share, and the point that was chosen."""
    table = Table(
        "INT8 share of MACs", "layers in INT8", "harm", "drop", "", title="Frontier (tuning pictures)"
    )
    for point in found.frontier:
        table.add_row(*_cells(point), "chosen" if point.names == found.point.names else "")
    console.print(table)
    used = ", ".join(f"{count} {method}" for method, count in found.methods.items() if count)
    console.print(f"ranges by: {used}")


def show_layers(found: Found) -> None:
    """The layers that quantisation harms most for what they cost."""
    table = Table("layer", "kind", "MACs", "own SQNR (dB)", "harm alone", "precision", title="Sensitivity")
    total = sum(layer.macs for layer in found.layers)
    for layer in sorted(found.layers, key=lambda layer: -layer.cost_of_int8)[:WORST]:
        table.add_row(*_row(layer, total), precision(layer, found.point))
    console.print(table)


def show_verdict(verdict: Verdict, images: int, sizes: tuple[int, int], share: float) -> None:
    """FP32 beside INT8."""
    table = Table("", "FP32", "INT8", title=f"Accuracy on {images} pictures")
    if verdict.fp32 and verdict.int8:
        table.add_row("mAP50-95", f"{verdict.fp32.map:.4f}", f"{verdict.int8.map:.4f}")
        table.add_row("mAP50", f"{verdict.fp32.map50:.4f}", f"{verdict.int8.map50:.4f}")
        for label, recall in verdict.fp32.recall.items():
            table.add_row(f"recall of {label}", f"{recall:.2f}", f"{verdict.int8.recall.get(label, 0):.2f}")
    else:
        table.add_row("cosine to FP32", "1", f"{verdict.cosine:.4f}")
    table.add_row("file (MB)", *(f"{size / 1e6:.2f}" for size in sizes))
    table.add_row("MACs in INT8", "0 %", f"{share:.1%}")
    table.add_row("drop", "", f"{verdict.drop:+.4f}")
    console.print(table)


def precision(layer: Layer, point: Point) -> str:
    """`int8`, or `float`: FP16 where the GPU has it."""
    return "int8" if layer.name in point.names else "float"


def _cells(point: Point) -> Sequence[str]:
    return f"{point.share:.1%}", str(len(point.names)), f"{point.harm:.4f}", f"{point.verdict.drop:+.4f}"


def _row(layer: Layer, total: int) -> Sequence[str]:
    return (
        layer.name,
        layer.kind,
        f"{layer.macs / total:.2%}",
        f"{layer.sqnr_db:.1f}",
        f"{layer.harm:.5f}",
    )
