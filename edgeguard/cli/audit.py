"""`edgeguard audit`: has anybody changed the log of what was asked of this device?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edgeguard.alerts import audit
from edgeguard.cli._output import Json, fail, said_plainly
from edgeguard.wording import counted

app = typer.Typer(help="The log of what was asked of this device.", no_args_is_help=True)

StateFolder = Annotated[Path, typer.Argument(metavar="STATE_DIR", help="The folder that holds audit.jsonl.")]
Head = Annotated[
    str | None,
    typer.Option(help="SHA-256 that the last line must have: `head` of part `audit` in the device's health."),
]


@app.command("verify")
@said_plainly
def verify(state_folder: StateFolder, head: Head = None, as_json: Json = False) -> None:
    """Follow the chain of the audit log; exit code 1 if a line was changed, taken out or put in."""
    found = audit.verify(state_folder)
    fault = found.fault
    if fault is None and head not in (None, found.head):
        fault = f"the last line is {found.head}, not {head}: lines were cut off or added"
    if as_json:
        print(json.dumps({**asdict(found), "fault": fault}))
    elif fault is None:
        print(f"{counted(found.lines, 'lines')}, {found.torn} of them torn; the last is {found.head}")
    if fault is not None:
        fail(f"the audit log was changed: {fault}")
