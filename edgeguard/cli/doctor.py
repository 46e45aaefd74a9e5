"""`edgeguard doctor`: checks of this box, with what is missing and how to have it."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console

from edgeguard.cli._output import Json, fail
from edgeguard.clock import SystemClock
from edgeguard.runtime.doctor.finding import Finding
from edgeguard.runtime.doctor.zero_copy import healthy, zero_copy


def doctor(
    source: Annotated[
        str | None, typer.Argument(metavar="URL", help="A camera; without one a test stream is made here.")
    ] = None,
    only_zero_copy: Annotated[
        bool, typer.Option("--zero-copy", help="Check that pictures stay on the GPU from decoder to model.")
    ] = False,
    frames: Annotated[int, typer.Option(min=1, max=100_000, help="Frames to read.")] = 300,
    as_json: Json = False,
) -> None:
    """Check this box; ends with 1 if something needed is missing."""
    if not only_zero_copy:
        fail("say what to check: `edgeguard doctor --zero-copy`", 2)
    found = []
    for finding in zero_copy(source, SystemClock(), frames):
        found.append(finding)
        if not as_json:
            _show(finding)
    good = healthy(found)
    if as_json:
        print(
            json.dumps({"ok": good, "checks": [dataclasses.asdict(finding) for finding in found]}, indent=2)
        )
    if not good:
        fail("pictures do not stay on the GPU here: they are decoded through the CPU's memory")


def _show(finding: Finding) -> None:
    mark = "[green]ok[/green]     " if finding.ok else "[yellow]missing[/yellow]"
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{mark} {finding.check:<16} ", end="")
    console.print(finding.said, markup=False)
    for name, figure in finding.figures.items():
        console.print(f"{'':<25}{name}: {figure}", markup=False)
