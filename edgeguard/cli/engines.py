"""`edgeguard engines`: from an ONNX file to an engine that this device can trust."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edgeguard.cli._output import Json, fail, said_plainly
from edgeguard.models.cost import MODULES, Cost, cost
from edgeguard.models.lint import lint

app = typer.Typer(help="Check, build and test the engines that run models on a GPU.", no_args_is_help=True)

OnnxFile = Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="The model file.")]


@app.command("lint")
@said_plainly
def lint_model(model: OnnxFile, as_json: Json = False) -> None:
    """Say what TensorRT's parser would refuse or run slowly, at which node, and how to mend it."""
    findings = lint(model)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(finding)
    if errors:
        fail(f"{model}: {errors} errors, {len(findings) - errors} warnings")
    if not as_json:
        print(f"{model}: no errors, {len(findings)} warnings")


@app.command("cost")
@said_plainly
def show_cost(
    model: OnnxFile,
    batch: Annotated[int, typer.Option(min=1, max=64, help="Pictures at once.")] = 1,
    as_json: Json = False,
) -> None:
    """Compute what a model costs, and the time below which no Orin module gets."""
    found = _figures(cost(model, batch))
    if as_json:
        print(json.dumps(found))
        return
    table = Table("what", "figure", box=None, pad_edge=False, show_header=False)
    table.add_row("multiply-accumulates", f"{found['macs'] / 1e6:.1f} M ({found['flops'] / 1e9:.2f} GFLOP)")
    table.add_row("of these in INT8", f"{found['int8_mac_share']:.0%}")
    table.add_row("parameters", f"{found['parameters'] / 1e6:.2f} M")
    table.add_row("activations, rest in FP16", f"{found['activation_bytes_fp16'] / 1e6:.1f} MB")
    for name, floor_ms in found["floor_ms"].items():
        table.add_row(f"floor on {name} (computed)", f"{floor_ms:.2f} ms")
    Console().print(table)


def _figures(found: Cost) -> dict[str, Any]:
    return {
        "batch": found.batch,
        "macs": found.macs,
        "flops": found.flops,
        "parameters": found.parameters,
        "int8_mac_share": round(found.int8_mac_share, 4),
        "activation_bytes_fp16": found.activation_bytes("fp16"),
        "floor_ms": {module.name: round(found.floor_s(module) * 1e3, 3) for module in MODULES},
    }
