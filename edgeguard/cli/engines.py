"""`edgeguard engines`: from an ONNX file to an engine that this device can trust."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edgeguard.cli._output import ConfigFile, Json, fail, said_plainly
from edgeguard.cli._progress import steps
from edgeguard.cli._store import Mirrors, Store, open_store
from edgeguard.clock import SystemClock
from edgeguard.config import Config, load
from edgeguard.config.labels import MOTION
from edgeguard.errors import EdgeGuardError
from edgeguard.models import load_catalog
from edgeguard.models.cost import MODULES, Cost, cost
from edgeguard.models.engines.gate import judge
from edgeguard.models.engines.shelf import shelf_of
from edgeguard.models.engines.workshop import Effort, Workshop, engine_of, open_machine, usable
from edgeguard.models.exported import find_exported
from edgeguard.models.lint import lint
from edgeguard.runtime.assembly.modelling import store_of
from edgeguard.wording import counted

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
        fail(f"{model}: {counted(errors, 'errors')}, {counted(len(findings) - errors, 'warnings')}")
    if not as_json:
        print(f"{model}: no errors, {counted(len(findings), 'warnings')}")


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


@app.command()
@said_plainly
def build(
    config_file: ConfigFile,
    again: Annotated[
        bool, typer.Option("--again", help="Build even what is current or was refused.")
    ] = False,
    level: Annotated[int, typer.Option(min=0, max=5, help="How hard to look for quick kernels.")] = 3,
    memory_gb: Annotated[float, typer.Option(min=0, help="Most that the compiler may allocate; 0: all.")] = 0,
) -> None:
    """Build the engine of every detector in CONFIG, gate it, and say why each was built or refused."""
    config = load(config_file)
    catalog, store = load_catalog(), store_of(config)
    models = _detectors(config)
    if not models:
        print("no detector of the configuration has a model: nothing to build")
        return
    machine, faults = open_machine(), []
    with steps() as tell:
        for name, cameras in models.items():
            try:
                exported = find_exported(store, catalog.card(name))
                effort = Effort(cameras, level=level, memory_bytes=int(memory_gb * (1 << 30)))
                shelf = shelf_of(store.root, name)
                Workshop(exported, shelf, machine, effort, SystemClock(), say, tell).build(anew=again)
            except EdgeGuardError as error:
                faults.append(str(error))
    if faults:
        fail("\n".join(faults))


@app.command()
@said_plainly
def gate(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model with an engine.")],
    as_json: Json = False,
    root: Store = None,
    mirror: Mirrors = None,
) -> None:
    """Hold the engine of MODEL to its golden set again, on this device."""
    store = open_store(root, mirror)
    exported = find_exported(store, load_catalog().card(name))
    machine, shelf = open_machine(), shelf_of(store.root, name)
    precision = next(usable(exported, shelf, machine), None)
    if precision is None:
        fail(f"there is no engine of {name} that serves here: run `edgeguard engines build`")
    engine = engine_of(shelf.load(precision.value), exported, machine)
    try:
        verdict = judge(engine, exported, SystemClock())
    finally:
        engine.close()
    if as_json:
        print(json.dumps({"model": name, "precision": precision.value, **dataclasses.asdict(verdict)}))
    else:
        print(f"{name} ({precision.value}): {verdict.said}; {verdict.latency_ms:.2f} ms a picture")


def say(sentence: str) -> None:
    """To standard error, and loudly where a precision is given up."""
    loud = "IS NOT USED" in sentence
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    console.print(sentence, style="bold red" if loud else None)


def _detectors(config: Config) -> dict[str, int]:
    """Models of the enabled cameras, and how many cameras each serves."""
    models = (camera.detector.model for camera in config.cameras.values() if camera.enabled)
    return dict(Counter(model for model in models if model != MOTION))
