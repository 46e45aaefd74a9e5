"""`edgeguard drill`: does an intrusion reach whoever listens at the broker?"""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edgeguard.cli._output import ConfigFile, Json, fail
from edgeguard.clock import SystemClock
from edgeguard.config import load
from edgeguard.config.environment import stand_in_for_systemd
from edgeguard.errors import ConfigError
from edgeguard.runtime.assembly.subscribing import subscriber, why_not_due
from edgeguard.runtime.drill_book import SEEN
from edgeguard.runtime.drill_folder import DrillFolder
from edgeguard.runtime.drill_session import DrillSession, Played, Result

_PLACES = (*SEEN, "received")

Timeout = Annotated[
    float | None,
    typer.Option(min=20, max=600, help="Seconds until its alerts must be here; by default drill.timeout_s."),
]
IfDue = Annotated[
    bool, typer.Option("--if-due", help="Only if drill.every_h and drill.schedule ask for one now.")
]


def drill(
    config_file: ConfigFile, timeout: Timeout = None, if_due: IfDue = False, as_json: Json = False
) -> None:
    """Let the running service play a drawn intrusion, and wait for its alerts at the broker.

    Ends with 1 if one does not come; health and an alert say so as well, until a drill passes. Nobody is
    called for it. Run it as root, or as the service's user if that can read the secrets.
    """
    stand_in_for_systemd(config_file)
    config, clock = load(config_file), SystemClock()
    folder = DrillFolder(config.state_dir)
    reason = why_not_due(config, folder.record(), clock.utc_ns()) if if_due else None
    if reason is not None:
        print(json.dumps({"held": False, "reason": reason}) if as_json else f"no drill is due: {reason}")
        return
    if not config.drill.enabled:
        raise ConfigError("drill.enabled is false: no drill can be held here")
    timeout_s = config.drill.timeout_s if timeout is None else timeout
    result = DrillSession(subscriber(config, clock), folder, clock, timeout_s).hold()
    if as_json:
        print(json.dumps({"held": True, **dataclasses.asdict(result)}))
    else:
        _print(result)
    if not result.ok:
        fail(f"the drill was missed: {result.reason}")


def _print(result: Result) -> None:
    """Milliseconds after the picture or the sound was captured, by place."""
    table = Table(box=None, header_style="bold")
    for column in ("act", "judged by", *_PLACES):
        table.add_column(column, no_wrap=True, justify="left" if column in ("act", "judged by") else "right")
    for act in result.acts:
        table.add_row(act.act, act.model or "-", *(_cell(act, place) for place in _PLACES))
    console = Console(width=200, highlight=False)
    console.print("milliseconds after it was captured", style="dim")
    console.print(table)
    for name, reason in result.left_out.items():
        console.print(f"{name} was left out: {reason}", markup=False, soft_wrap=True)
    if result.ok:
        console.print(f"passed after {result.took_s:.1f} s")


def _cell(act: Played, place: str) -> str:
    if place in act.after_ms:
        return f"{act.after_ms[place]:.0f}"
    return "lost" if place == act.stopped_at else ""
