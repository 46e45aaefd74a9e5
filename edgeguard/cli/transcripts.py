"""`edgeguard transcripts`: what was said, where microphones keep it."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Annotated

import typer

from edgeguard.cli._output import Json, said_plainly
from edgeguard.clock import SystemClock
from edgeguard.config import load
from edgeguard.errors import ConfigError
from edgeguard.evidence import Transcripts
from edgeguard.runtime.assembly.keeping import transcripts
from edgeguard.wording import counted

app = typer.Typer(
    help="Read and delete the sentences that microphones with `transcripts: true` keep.", no_args_is_help=True
)

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="The configuration file.")]
Day = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only this day (UTC).")]
Microphone = Annotated[str | None, typer.Option(help="Only this microphone.")]


@app.command("list")
@said_plainly
def show(
    config_file: ConfigFile, day: Day = None, microphone: Microphone = None, as_json: Json = False
) -> None:
    """Print sentences, oldest first."""
    for sentence in _open(config_file).read(_day(day), _name(microphone)):
        if as_json:
            print(json.dumps(dataclasses.asdict(sentence), ensure_ascii=False))
        else:
            print(f"{sentence.at}  {sentence.microphone}  {sentence.text}")


@app.command("delete")
@said_plainly
def delete(
    config_file: ConfigFile,
    day: Day = None,
    microphone: Microphone = None,
    everything: Annotated[bool, typer.Option("--all", help="All days and microphones.")] = False,
) -> None:
    """Delete what a day or a microphone said, for good."""
    if day is None and microphone is None and not everything:
        raise ConfigError("say what to delete: --day, --microphone or --all")
    count = _open(config_file).delete(_day(day), _name(microphone))
    print(f"{counted(count, 'files')} deleted")


def _open(config_file: Path) -> Transcripts:
    return transcripts(load(config_file), SystemClock())


def _day(day: str | None) -> str | None:
    if day is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        raise ConfigError(f"{day!r} is no day; expected YYYY-MM-DD")
    return day


def _name(microphone: str | None) -> str | None:
    if microphone is not None and not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", microphone):
        raise ConfigError(f"{microphone!r} is no microphone's name")
    return microphone
