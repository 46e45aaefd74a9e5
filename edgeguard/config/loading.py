"""From a file to a configuration, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from edgeguard.config import document, environment, references, validation
from edgeguard.config.collector import CollectorConfig
from edgeguard.config.faults import Fault, report
from edgeguard.config.root import Config
from edgeguard.config.section import Section
from edgeguard.errors import ConfigError

RootT = TypeVar("RootT", bound=Section)


def load(path: Path) -> Config:
    """The configuration in a file, with what the environment overrides.

    Raises ConfigError that lists every fault, one per line.
    """
    return parse_with_environment(text_of(path), str(path), path.absolute().parent)


def parse_with_environment(text: str, name: str, folder: Path) -> Config:
    """The configuration in `text`, with what the environment overrides. Raises ConfigError like `load`."""
    return build(document.read(text), name, folder, environment.overrides())


def load_collector(path: Path) -> CollectorConfig:
    """The collector's configuration in a file; the environment has no say. Raises ConfigError like `load`."""
    read = document.read(text_of(path))
    return _checked(CollectorConfig, read, str(path), path.absolute().parent)


def parse(text: str, name: str, folder: Path | None = None) -> Config:
    """The configuration in `text`, which messages call `name`; the environment has no say.

    Relative paths start at `folder`, or else at the working folder. Raises ConfigError like `load`.
    """
    return build(document.read(text), name, (folder or Path.cwd()).absolute())


def text_of(path: Path) -> str:
    """What is written in a configuration file, right or wrong. Raises ConfigError."""
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


def build(
    read: document.Document, name: str, folder: Path, overrides: Sequence[environment.Override] = ()
) -> Config:
    """The configuration in a document. Raises ConfigError like `load`."""
    return _checked(Config, read, name, folder, overrides, references.faults_of)


def _checked(
    root: type[RootT],
    read: document.Document,
    name: str,
    folder: Path,
    overrides: Sequence[environment.Override] = (),
    further: Callable[[Any], Iterable[Fault]] = lambda _tree: (),
) -> RootT:
    """The file as a `root`, or ConfigError with all that is wrong with it, `further` faults included."""
    if read.tree is None and read.faults:
        raise ConfigError(report(read.faults, {}, name))
    tree = {} if read.tree is None else read.tree
    _override(tree, overrides)
    config, misfits = _validated(root, tree, folder)
    faults = [*read.faults, *misfits, *further(tree)]
    if config is None or faults:
        raise ConfigError(report(faults, read.lines, name))
    return config


def _validated(root: type[RootT], tree: Any, folder: Path) -> tuple[RootT | None, list[Fault]]:
    try:
        return root.model_validate(tree, context={"folder": folder}), []
    except ValidationError as error:
        return None, validation.faults_of(error, root)


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
