"""`edgeguard engines`: from an ONNX file to an engine that this device can trust."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from edgeguard.cli._output import Json, fail, said_plainly
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
