"""`edgeguard collect`: the centre's end; `edgeguard token`: who may ask it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edgeguard.cli._centre import centre
from edgeguard.cli._output import ConfigFile, Json
from edgeguard.config import load_collector
from edgeguard.errors import ConfigError
from edgeguard.runtime import logs

Name = Annotated[str, typer.Argument(help="Whose token: a person, a dashboard.")]
Role = Annotated[str, typer.Option(help="`read`, or `ack` for who may acknowledge alerts, too.")]
Revoke = Annotated[bool, typer.Option("--revoke", help="End the token of NAME instead.")]


def collect(config_file: ConfigFile) -> None:
    """Take what devices tell into a database, and tell them so, until SIGTERM."""
    config = load_collector(config_file)
    logs.set_up(config.log.level, as_json=config.log.format == "json")
    centre("Centre")(config).daemon().run()


def token(
    config_file: ConfigFile, name: Name, role: Role = "read", revoke: Revoke = False, as_json: Json = False
) -> None:
    """Make a token for the collector's HTTP API, print it this once, and keep its hash."""
    path = load_collector(config_file).http.tokens_file
    assert path is not None
    centre("Centre")
    from edgeguard.collector import tokens

    if revoke:
        if not tokens.revoke(path, name):
            raise ConfigError(f"nobody called {name} has a token in {path}")
        print(json.dumps({"name": name, "revoked": True}) if as_json else f"the token of {name} has ended")
        return
    made = tokens.grant(path, name, role)
    print(json.dumps({"name": name, "role": role, "token": made}) if as_json else made)
