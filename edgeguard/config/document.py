"""YAML text to plain values, without surprises.

Scalars follow the core schema of YAML 1.2: `on`, `no` and `22:00` are text, only `true` and `false` are
booleans. Keys are always text. Refused are keys that come twice, tags, and documents that grow beyond
`MAX_VALUES` or nest deeper than `MAX_DEPTH` once their aliases are followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from edgeguard.config.faults import Fault, Path

MAX_CHARACTERS = 262_144
MAX_VALUES = 20_000
MAX_DEPTH = 24
_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration as it was written."""

    tree: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    """Line (from 1) of every key and list entry."""
    faults: list[Fault] = field(default_factory=list)


def read(text: str) -> Document:
    """The document in `text`; what is wrong with it is in its faults, never raised."""
    if len(text) > MAX_CHARACTERS:
        return Document(faults=[Fault((), f"is longer than {MAX_CHARACTERS} characters")])
    try:
        node = _compose(text)
        reader = _Reader()
        return Document(reader.value(node, ()), reader.lines, reader.faults)
    except _RefusedError as refused:
        return Document(faults=[Fault((), str(refused), refused.line)])
    except yaml.reader.ReaderError as error:
        line_before = text.count("\n", 0, error.position)
        return Document(faults=[Fault((), "contains a character that is not text", line_before + 1)])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        return Document(faults=[Fault((), f"is not YAML: {_harmless(error)}", line)])
    except (yaml.YAMLError, ValueError, OverflowError):
        return Document(faults=[Fault((), "is not YAML")])


def _harmless(error: yaml.MarkedYAMLError) -> str:
    """What the parser says, without the pieces of the document that it quotes: one may be a password."""
    parts = (part for part in (error.context, error.problem) if part)
    return re.sub(r"'([^']*)'|\"([^\"]*)\"", _shown, ", ".join(parts))


def _shown(quoted: re.Match[str]) -> str:
    inner = quoted[1] or quoted[2] or ""
    return quoted[0] if len(inner) <= 1 or inner.startswith("<") else "…"


class _RefusedError(Exception):
    def __init__(self, text: str, node: yaml.Node | None = None) -> None:
        super().__init__(text)
        self.line = node.start_mark.line + 1 if node else None


class _Loader(yaml.SafeLoader):
    """Composes nodes only; knows the scalars of YAML 1.2's core schema, apart from infinities."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth > MAX_DEPTH:
            raise _RefusedError(f"nests deeper than {MAX_DEPTH} levels", parent)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("int", r"[-+]?[0-9]{1,18}", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(rf"^(?:{_pattern})\Z"), list(_first))


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


_SCALARS: dict[str, Callable[[str], Any]] = {
    _TAG + "str": str,
    _TAG + "bool": lambda text: text.lower() == "true",
    _TAG + "null": lambda _: None,
    _TAG + "int": int,
    _TAG + "float": float,
}


class _Reader:
    """From nodes to values."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []
        self._values = 0

    def value(self, node: yaml.Node | None, path: Path) -> Any:
        self._count(node)
        if len(path) > MAX_DEPTH:
            raise _RefusedError(f"nests deeper than {MAX_DEPTH} levels, its aliases followed", node)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self._entry(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _count(self, node: yaml.Node | None) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _RefusedError(f"holds more than {MAX_VALUES} values, its aliases followed", node)

    def _entry(self, node: yaml.Node, path: Path) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in self._pairs(node):
            here = (*path, key.value)
            if key.value in mapping:
                line = key.start_mark.line + 1
                self.faults.append(Fault(here, f"is there already, in line {self.lines[here]}", line))
                continue
            self.lines[here] = key.start_mark.line + 1
            mapping[key.value] = self.value(value, here)
        for merged in self._merged(node):
            for key, value in self._pairs(merged):
                if key.value not in mapping:
                    mapping[key.value] = self._entry(value, (*path, key.value))
        return mapping

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _RefusedError("has a key that is not a word", key)
            if key.tag != _MERGE:
                yield key, value

    def _merged(self, node: yaml.MappingNode, depth: int = 0) -> Iterator[yaml.MappingNode]:
        """The mappings that `<<` brings in, nearest first; those that they bring in themselves as well."""
        for key, value in node.value:
            if key.tag == _MERGE:
                for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    self._count(merged)
                    if not isinstance(merged, yaml.MappingNode) or depth > MAX_DEPTH:
                        raise _RefusedError("has a `<<` that does not lead to mappings", key)
                    yield merged
                    yield from self._merged(merged, depth + 1)

    def _scalar(self, node: yaml.Node | None) -> Any:
        if node is None:
            return None
        convert = _SCALARS.get(node.tag) if isinstance(node, yaml.ScalarNode) else None
        if convert is None:
            raise _RefusedError(
                "has a tag (a word with `!`): quote it if it is text, leave it out if not", node
            )
        return convert(node.value)
