"""From a file to a configuration, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edgeguard.config import document, environment, references, validation
from edgeguard.config.faults import Fault, report
from edgeguard.config.root import Config
from edgeguard.errors import ConfigError


def load(path: Path) -> Config:
    """The configuration in a file, with what the environment overrides.

    Raises ConfigError that lists every fault, one per line.
    """
    return _build(_text(path), str(path), path.absolute().parent, environment.overrides())


def parse(text: str, name: str, folder: Path | None = None) -> Config:
    """The configuration in `text`, which messages call `name`; the environment has no say.

    Relative paths start at `folder`, or else at the working folder. Raises ConfigError like `load`.
    """
    return _build(text, name, (folder or Path.cwd()).absolute(), [])


def _text(path: Path) -> str:
    limit = document.MAX_CHARACTERS * 4
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is not a file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: see byte {error.start}") from None


def _build(text: str, name: str, folder: Path, overrides: Sequence[environment.Override]) -> Config:
    read = document.read(text)
    if read.tree is None and read.faults:
        raise ConfigError(report(read.faults, {}, name))
    tree = {} if read.tree is None else read.tree
    _override(tree, overrides)
    config, misfits = _validated(tree, folder)
    faults = [*read.faults, *misfits, *references.faults_of(tree)]
    if config is None or faults:
        raise ConfigError(report(faults, read.lines, name))
    return config


def _validated(tree: Any, folder: Path) -> tuple[Config | None, list[Fault]]:
    try:
        return Config.model_validate(tree, context={"folder": folder}), []
    except ValidationError as error:
        return None, validation.faults_of(error)


def _override(tree: Any, overrides: Sequence[environment.Override]) -> None:
    """Put the environment's values into the tree."""
    for path, value in overrides:
        section = tree
        for part in path[:-1]:
            if isinstance(section, dict) and section.get(part) is None:
                section[part] = {}
            section = section[part] if isinstance(section, dict) else None
        if isinstance(section, dict):
            section[path[-1]] = value
