"""`edgeguard config`: the configuration's schema, reference and effective values."""

from __future__ import annotations

import json

import typer

from edgeguard.cli._output import ConfigFile, Json, said_plainly
from edgeguard.config import load, masked, reference, schema, shown

app = typer.Typer(help="Show what a configuration may say, and what one does say.", no_args_is_help=True)


@app.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    print(json.dumps(schema(), indent=2, ensure_ascii=False))


@app.command("reference")
def show_reference() -> None:
    """Print a configuration with every key at its default, and what it means."""
    print(reference(), end="")


@app.command("show")
@said_plainly
def show(config_file: ConfigFile, as_json: Json = False) -> None:
    """Print CONFIG with every default filled in and secrets masked."""
    config = load(config_file)
    if as_json:
        print(json.dumps(masked(config), indent=2, ensure_ascii=False))
    else:
        print(shown(config), end="")
