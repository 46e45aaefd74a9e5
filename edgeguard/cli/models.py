"""`edgeguard models`: which models there are, and the way to have them here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edgeguard.cli._output import Json, fail, said_plainly
from edgeguard.cli._progress import progress
from edgeguard.cli._store import Mirrors, Store, open_store
from edgeguard.errors import EdgeGuardError
from edgeguard.models import ModelCard, ModelStore, load_catalog
from edgeguard.models.card import TASKS

app = typer.Typer(help="List, fetch and check the models.", no_args_is_help=True)


@app.command("list")
@said_plainly
def list_models(
    task: Annotated[
        str | None, typer.Option(metavar="|".join(TASKS), help="Only the models for this.")
    ] = None,
    as_json: Json = False,
    store: Store = None,
    mirror: Mirrors = None,
) -> None:
    """Show the models, their licences, and which of them are here."""
    if task not in (None, *TASKS):
        raise typer.BadParameter(f"{task!r} is none of {', '.join(TASKS)}", param_hint="--task")
    shelf = open_store(store, mirror)
    cards = [card for card in load_catalog().cards if task in (None, card.task)]
    rows = [_row(shelf, card) for card in cards]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("model", "task", "size", "licence", "here", "checksum", box=None, pad_edge=False)
    for row in rows:
        size, here = _size(row["size_bytes"]), "yes" if row["installed"] else "no"
        table.add_row(row["name"], row["task"], size, row["licence"], here, row["checksum"])
    Console().print(table)


@app.command()
@said_plainly
def pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Models to fetch.")],
    from_dir: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take the files from this folder, not the network."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept the licences without being asked.")] = False,
    accept_unverified: Annotated[
        bool,
        typer.Option("--accept-unverified", help="Trust a file without a published checksum, this once."),
    ] = False,
    store: Store = None,
    mirror: Mirrors = None,
) -> None:
    """Fetch models; what broke off goes on where it stopped."""
    cards = _cards(names)
    shelf = open_store(store, mirror)
    for card in cards:
        if not shelf.accepted(card):
            _ask(card, yes)
            shelf.accept(card)
        with progress() as show:
            shelf.pull(card, from_dir=from_dir, progress=show, accept_unverified=accept_unverified)
        print(f"{card.name} is in {shelf.root / card.name}")


@app.command()
@said_plainly
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="By default, all that are here.")
    ] = None,
    as_json: Json = False,
    store: Store = None,
    mirror: Mirrors = None,
) -> None:
    """Compare the models that are here with their checksums."""
    cards = _cards(names or [])
    shelf = open_store(store, mirror)
    cards = cards or [card for card in load_catalog().cards if shelf.present(card)]
    faults = {card.name: shelf.faults(card) for card in cards}
    if as_json:
        print(json.dumps(faults, indent=2))
    else:
        for name in (name for name, found in faults.items() if not found):
            print(f"{name}: ok")
    if any(faults.values()):
        fail("\n".join(fault for found in faults.values() for fault in found))


@app.command()
@said_plainly
def where(
    name: Annotated[str, typer.Argument(metavar="NAME")], store: Store = None, mirror: Mirrors = None
) -> None:
    """Print the path of each file of a model, after checking it."""
    (card,) = _cards([name])
    shelf = open_store(store, mirror)
    for file in card.files:
        print(shelf.path(card, file.name))


def _cards(names: list[str]) -> list[ModelCard]:
    try:
        catalog = load_catalog()
        return [catalog.card(name) for name in names]
    except EdgeGuardError as error:
        fail(str(error), code=2)


def _row(store: ModelStore, card: ModelCard) -> dict[str, Any]:
    first_use = store.trusted_on_first_use(card)
    return {
        "name": card.name,
        "task": card.task,
        "title": card.title,
        "size_bytes": card.size_bytes,
        "licence": card.licence,
        "licence_url": card.licence_url,
        "caveat": card.caveat,
        "installed": store.installed(card),
        "checksum": "first use" if first_use else "published" if card.checksums_known else "none published",
    }


def _ask(card: ModelCard, yes: bool) -> None:
    """Show the licence and go on only if it is accepted."""
    print(
        f"{card.name} ({card.title}, {_size(card.size_bytes)}) comes under {card.licence}: {card.licence_url}"
    )
    if card.caveat:
        print(card.caveat)
    if yes:
        return
    if not _somebody_is_there():
        fail("nobody is there to accept the licence: pass --yes to accept it")
    if not typer.confirm("Accept it?"):
        fail(f"{card.name} was not fetched: its licence is not accepted")


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _size(size_bytes: int | None) -> str:
    return "?" if size_bytes is None else f"{size_bytes / 1e6:.1f} MB"
