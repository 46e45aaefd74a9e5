"""The models that EdgeGuard knows, read from `catalog.yaml`."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from edgeguard.errors import ModelError
from edgeguard.models.card import TASKS, Archive, AudioSpec, InputSpec, ModelCard, ModelFile

_HERE = Path(__file__).parent

T = TypeVar("T")


class Catalog:
    """Cards by name, in the order of the file."""

    def __init__(self, cards: Mapping[str, ModelCard]) -> None:
        self._cards = dict(cards)

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        return tuple(self._cards.values())

    def card(self, name: str) -> ModelCard:
        """ModelError that names the nearest one if there is no such model."""
        if name in self._cards:
            return self._cards[name]
        near = difflib.get_close_matches(name, self._cards, n=1)
        hint = f"did you mean {near[0]}?" if near else "`edgeguard models list` shows them"
        raise ModelError(f"no model is called {name!r}: {hint}")


def load_catalog(path: Path | None = None) -> Catalog:
    """The packaged catalog, or the one at `path`; ModelError names the entry and field that is wrong."""
    path = path or _HERE / "catalog.yaml"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        return Catalog({name: card_from(name, entry) for name, entry in entries.items()})
    except OSError as error:
        raise ModelError(f"cannot read the model catalog {path}: {error.strerror}") from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"the model catalog {path} is wrong: {error}") from error


def card_from(name: str, entry: dict[str, Any]) -> ModelCard:
    """The card of one entry; ValueError names what is wrong in it."""
    parts: dict[str, Callable[[Any], Any]] = {
        "files": lambda files: tuple(_build(ModelFile, file, name) for file in files),
        "archive": lambda archive: _build(Archive, archive, name),
        "input": lambda spec: _build(InputSpec, spec, name),
        "audio": lambda spec: _build(AudioSpec, spec, name),
        "labels": _labels,
    }
    values = {key: parts[key](value) if key in parts else value for key, value in entry.items()}
    card = _build(ModelCard, {"name": name, **values}, name)
    for part in (card.name, *(file.name for file in card.files)):
        if Path(part).name != part:
            raise ValueError(f"{name}: {part!r} is not a plain file name")
    if card.task not in TASKS:
        raise ValueError(f"{name}: the task is {card.task!r}, expected one of {', '.join(TASKS)}")
    return card


def _build(kind: Callable[..., T], values: dict[str, Any], name: str) -> T:
    """`kind` from `values`, lists made tuples; ValueError on an unknown or missing field."""
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := values.keys() - fields.keys():
        raise ValueError(f"{name}: unknown field {', '.join(sorted(unknown))}")
    try:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        )
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error


def _labels(value: str | list[str]) -> tuple[str, ...]:
    """A list as it is; a name stands for the file `labels/<name>.txt`, one label a line."""
    if isinstance(value, str):
        return tuple((_HERE / "labels" / f"{value}.txt").read_text(encoding="utf-8").splitlines())
    return tuple(value)
