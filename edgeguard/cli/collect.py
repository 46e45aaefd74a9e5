"""`edgeguard collect`: the centre's end."""

from __future__ import annotations

from edgeguard.cli._output import ConfigFile
from edgeguard.config import load_collector
from edgeguard.runtime import logs


def collect(config_file: ConfigFile) -> None:
    """Take what devices tell into a database, and tell them so, until SIGTERM."""
    config = load_collector(config_file)
    logs.set_up(config.log.level, as_json=config.log.format == "json")
    from edgeguard.runtime.assembly.centre import Centre

    Centre(config).daemon().run()
