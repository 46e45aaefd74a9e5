"""`edgeguard prune`: removes what the configuration no longer lets be kept."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edgeguard.cli._output import ConfigFile, Json, fail
from edgeguard.clock import SystemClock
from edgeguard.config import load
from edgeguard.runtime.assembly.keeping import believed_time, kept
from edgeguard.runtime.retention import Swept, sweep


def prune(
    config_file: ConfigFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and let it be.")] = False,
    as_json: Json = False,
) -> None:
    """Remove evidence, transcripts, observation logs and spent engines beyond the bounds of CONFIG.

    The running guard does so itself, but for engines; this is for one that is stopped or hears and sees
    nothing. Safe beside it. What waits to be delivered is never touched.
    """
    config = load(config_file)
    clock = SystemClock()
    swept = [sweep(one, clock, dry_run=dry_run) for one in kept(config, clock)]
    doubt = believed_time(config, clock).doubt()
    if as_json:
        said = {"dry_run": dry_run, "clock_doubt": doubt, "swept": [one.as_json() for one in swept]}
        print(json.dumps(said))
    else:
        for one in swept:
            print(_line(one, dry_run))
        if doubt:
            print(doubt)
    faults = [one.error for one in swept if one.error]
    if faults:
        fail("\n".join(f"cannot remove {fault}" for fault in faults))


def _line(swept: Swept, dry_run: bool) -> str:
    verb = "would go" if dry_run else "removed"
    return f"{swept.what:<13} {swept.removed} {verb}, {swept.freed_bytes / 1e6:.1f} MB, in {swept.folder}"
