"""`edgeguard listen`: what a microphone or a recording sounds like to the guard."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.text import Text

from edgeguard.cli._output import Json
from edgeguard.clock import SystemClock
from edgeguard.config import Config, load
from edgeguard.config.loading import parse_with_environment
from edgeguard.errors import ConfigError
from edgeguard.runtime.listening import Listening
from edgeguard.types import Observation

_NAME = "listen"
_LEVEL_EVERY_NS = 1_000_000_000
_KINDS = {"utterance": "cyan", "keyword": "bold red", "intent": "red", "sound": "yellow"}


def listen(
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL|MICROPHONE",
            help="A recording, alsa://default, rtsp://..., or with --config the name of a microphone.",
        ),
    ],
    config_file: Annotated[
        Path | None,
        typer.Option("--config", metavar="CONFIG", help="Whose phrases, rules and models to use."),
    ] = None,
    phrases: Annotated[
        list[str] | None, typer.Option("--phrase", help="A phrase to listen for; may be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Speech model from the catalog.")] = None,
    mirror: Annotated[
        list[Path] | None, typer.Option(help="Folder with model files; may be repeated.")
    ] = None,
    realtime: Annotated[
        bool, typer.Option(help="Hear a recording as it was made, not as fast as possible.")
    ] = (False),
    as_json: Json = False,
) -> None:
    """Print what is said and heard, until the recording ends or Ctrl-C. Nothing is written down."""
    config = _config(target, config_file, phrases or [], model, mirror or [], realtime)
    listening = Listening(config, SystemClock())
    try:
        listening.open()
        _print(listening, as_json)
    finally:
        listening.close()


def _print(listening: Listening, as_json: bool) -> None:
    """One line per observation; what does not work, and the level of the sound, beside them."""
    show = _JsonLines() if as_json else _Lines()
    for name in ("speech", "sounds"):
        part = listening.report()[name]
        show.aside(f"{name}: {part['reason'] or part.get('model')}")
    shown_ns, noticed = 0, 0
    for observations in listening.hear():
        for observation in observations:
            noticed += 1
            show.observation(observation)
        now_ns = SystemClock().monotonic_ns()
        if now_ns - shown_ns >= _LEVEL_EVERY_NS:
            shown_ns = now_ns
            show.levels(listening.report())
    if not noticed:
        show.aside("it is over, and nothing was said or heard in it that is known here")


class _Lines:
    """For people."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, soft_wrap=True)
        self._aside = Console(stderr=True, highlight=False, soft_wrap=True)

    def observation(self, observation: Observation) -> None:
        self._out.print(Text(line(observation), style=_KINDS.get(observation.kind, "magenta")))

    def levels(self, report: dict[str, dict[str, Any]]) -> None:
        if sys.stderr.isatty():
            for name, level in levels_of(report).items():
                self._aside.print(Text(f"{name}: {level:.0f} dBFS", style="dim"), end="\r")

    def aside(self, remark: str) -> None:
        self._aside.print(Text(remark, style="dim"))


class _JsonLines:
    """For programs: one JSON object a line."""

    def observation(self, observation: Observation) -> None:
        fields = {**asdict(observation), "at": _utc(observation.utc_ns)}
        print(json.dumps(fields, ensure_ascii=False), flush=True)

    def levels(self, report: dict[str, dict[str, Any]]) -> None:
        for name, level in levels_of(report).items():
            print(json.dumps({"kind": "level", "source": name, "level_dbfs": level}), flush=True)

    def aside(self, remark: str) -> None:
        print(remark, file=sys.stderr)


def line(observation: Observation) -> str:
    """What was noticed, in words."""
    what = " ".join(
        part
        for part in (
            observation.kind,
            "" if observation.phase.value == "instant" else observation.phase.value,
            observation.label or "",
            f'"{observation.text}"' if observation.text and observation.text != observation.label else "",
        )
        if part
    )
    measures = ", ".join(f"{m.name} {_figure(m.value)}" for m in observation.measures)
    return f"{_utc(observation.utc_ns)}  {observation.source}  {what}{f'  ({measures})' if measures else ''}"


def levels_of(report: dict[str, dict[str, Any]]) -> dict[str, float]:
    """By microphone, where a level was measured."""
    return {
        name.removeprefix("microphone/"): part["level_dbfs"]
        for name, part in report.items()
        if "level_dbfs" in part
    }


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.2f}"


def _utc(utc_ns: int) -> str:
    at = datetime.fromtimestamp(utc_ns / 1e9, timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _config(
    target: str,
    config_file: Path | None,
    phrases: list[str],
    model: str | None,
    mirrors: list[Path],
    realtime: bool,
) -> Config:
    """One microphone, whose sentences are observed with their text; ConfigError if the target is none."""
    given = load(config_file) if config_file else None
    base = given or _parsed({_NAME: {"url": "alsa://default"}})
    known = given is not None and target in base.microphones
    name = target if known else _NAME
    microphone = base.microphones[target] if known else _alone(target, given, realtime)
    heard = microphone.model_copy(update={"enabled": True, "transcripts": True})
    asked = _parsed({_NAME: {"url": "alsa://default"}}, phrases).speech.keywords
    new = [
        phrase for phrase in asked if phrase.name not in {keyword.name for keyword in base.speech.keywords}
    ]
    speech = base.speech.model_copy(
        update={"keywords": (*base.speech.keywords, *new), "model": model or base.speech.model}
    )
    models = base.models.model_copy(update={"mirrors": (*base.models.mirrors, *mirrors)})
    return base.model_copy(update={"microphones": {name: heard}, "speech": speech, "models": models})


def _alone(target: str, config: Config | None, realtime: bool) -> Any:
    """A microphone that no configuration names."""
    if "://" not in target:
        path = Path(target).absolute()
        if not path.is_file():
            names = f", nor a microphone: {', '.join(config.microphones) or 'it has none'}" if config else ""
            raise ConfigError(
                f"{target!r} is no file{names}; give a recording, or a URL such as alsa://default"
            )
        target = path.as_uri()
    paced = target.startswith(("file:", "scene:"))
    settings = {"url": target, **({"pace": "realtime" if realtime else "fast"} if paced else {})}
    return _parsed({_NAME: settings}).microphones[_NAME]


def _parsed(microphones: dict[str, Any], phrases: list[str] | None = None) -> Config:
    tree = {
        "site": "here",
        "device": "here",
        "mqtt": {"host": "127.0.0.1"},
        "microphones": microphones,
        "speech": {"keywords": [{"phrase": phrase} for phrase in phrases or []]},
    }
    return parse_with_environment(yaml.safe_dump(tree), "edgeguard listen", Path.cwd())
