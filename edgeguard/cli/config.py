"""`edgeguard config`: the configuration's schema, reference and effective values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeguard.cli._output import ConfigFile, Json, said_plainly
from edgeguard.config import Config, fingerprint, load, masked, reference, schema, shown
from edgeguard.config.difference import Difference, differences
from edgeguard.config.proposal import state_dir_of
from edgeguard.errors import ConfigError
from edgeguard.runtime.config_store import ConfigStore

app = typer.Typer(help="Show what a configuration may say, and what one does say.", no_args_is_help=True)


@app.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    print(json.dumps(schema(), indent=2, ensure_ascii=False))


@app.command("reference")
def show_reference() -> None:
    """Print a configuration with every key at its default, and what it means."""
    print(reference(), end="")


@app.command("diff")
@said_plainly
def diff(
    config_file: ConfigFile,
    other: Annotated[
        Path | None,
        typer.Argument(metavar="OTHER", help="Another configuration file. [what proved itself here last]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print what changes: from CONFIG to OTHER, or from what the service of CONFIG runs to what CONFIG says.

    Ends with 1 if something does.
    """
    if other is None:
        before, after = _proved(config_file), load(config_file)
    else:
        before, after = load(config_file), load(other)
    found = differences(before, after)
    if as_json:
        print(json.dumps({"sha256": [fingerprint(before), fingerprint(after)], "changes": _plain(found)}))
    else:
        print("".join(f"{one}\n" for one in found), end="")
    if found:
        raise typer.Exit(1)


def _proved(config_file: Path) -> Config:
    store = ConfigStore(state_dir_of(config_file))
    kept = store.good()
    if kept is None:
        raise ConfigError(
            f"no configuration has proved itself in {store.folder} yet; name two files to compare"
        )
    return kept.proposal.config()


def _plain(found: list[Difference]) -> list[dict[str, Any]]:
    return [{"path": one.path, "sign": one.sign, "before": one.before, "after": one.after} for one in found]


@app.command("show")
@said_plainly
def show(config_file: ConfigFile, as_json: Json = False) -> None:
    """Print CONFIG with every default filled in and secrets masked."""
    config = load(config_file)
    if as_json:
        print(json.dumps(masked(config), indent=2, ensure_ascii=False))
    else:
        print(shown(config), end="")
