"""`edgeguard run`: the daemon."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeguard.cli._output import ConfigFile
from edgeguard.config import load
from edgeguard.runtime import logs
from edgeguard.runtime.assembly import House, begin_anew, governed

UntilDone = Annotated[
    bool,
    typer.Option("--until-done", help="Stop when every file has been played and every alert is delivered."),
]


def run(config_file: ConfigFile, until_done: UntilDone = False) -> None:
    """Guard the site that CONFIG describes, until SIGTERM."""
    if not until_done:
        daemon = governed(config_file)
        daemon.run()
        if daemon.restarting:
            begin_anew()
        return
    config = load(config_file)
    logs.set_up(config.log.level, as_json=config.log.format == "json")
    House(config).daemon(until_done=True).run()
