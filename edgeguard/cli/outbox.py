"""`edgeguard outbox`: is what waits to be delivered in order?"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from edgeguard.alerts.bounds import Limits
from edgeguard.alerts.outbox_check import Report
from edgeguard.alerts.outbox_check import check as check_file
from edgeguard.cli._output import Json, said_plainly
from edgeguard.config import load
from edgeguard.errors import ConfigError

app = typer.Typer(help="Look into the outbox, where alerts wait to be delivered.", no_args_is_help=True)

ConfigOrNone = Annotated[Path | None, typer.Argument(metavar="[CONFIG]", help="The configuration file.")]
StateDir = Annotated[Path | None, typer.Option(help="The state folder, instead of CONFIG.")]


@app.callback()
def outbox() -> None:
    """Keeps `check` a command of its own while it is the only one."""


@app.command("check")
@said_plainly
def check(config_file: ConfigOrNone = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Verify the outbox's invariants, also while the daemon runs; nothing is changed. 1: one is broken."""
    report = _check(config_file, state_dir)
    if as_json:
        print(json.dumps({"sound": report.sound, **dataclasses.asdict(report)}))
    else:
        _print(report)
    if not report.sound:
        raise typer.Exit(1)


def _check(config_file: Path | None, state_dir: Path | None) -> Report:
    if (config_file is None) == (state_dir is None):
        raise ConfigError("name either a configuration file or, with --state-dir, the state folder")
    if state_dir is not None:
        return check_file(state_dir / "outbox.db")
    assert config_file is not None
    config = load(config_file)
    bounds = config.mqtt.outbox
    limits = Limits(rows=bounds.max_rows, bytes=bounds.max_bytes)
    return check_file(config.state_dir / "outbox.db", limits)


def _print(report: Report) -> None:
    for finding in report.findings:
        print(f"{'broken' if finding.faults else 'holds':<7} {finding.name:<5} {finding.says}")
        for fault in finding.faults:
            print(f"        {fault}")
    waiting = {word: count for word, count in report.rows.items() if count and word != "delivered"}
    listed = ", ".join(f"{count} {word}" for word, count in waiting.items())
    print(
        f"highest seq {report.seq_high}; waiting: {listed or 'nothing'}; history: {report.rows['delivered']}"
    )
    if report.oldest is not None:
        print("oldest: seq {seq}, {at}, {topic}".format_map(report.oldest))
    for gap in report.gaps:
        print(f"gap: {gap.from_seq}..{gap.to_seq} {gap.reason}")
    for name in report.set_aside:
        print(f"set aside: {name}")
