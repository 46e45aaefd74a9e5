"""The shipped message schemas, and a check against the part of JSON Schema 2020-12 that they use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any

SCHEMAS = (
    *("alert", "status", "health", "clock", "coverage", "counts", "config", "result"),
    *("receipt", "command", "config_desired", "ack"),
)


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of the message `name`."""
    text = (resources.files("edgeguard.alerts") / "schema" / f"{name}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def regex(pattern: str) -> re.Pattern[str]:
    """A `pattern` of a schema: its `$` is the end, where Python's lets a line feed follow."""
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def faults(value: Any, rules: dict[str, Any], at: str = "message") -> list[str]:
    """What in `value` breaks `rules`, in words; empty if nothing does."""
    return list(_faults(value, rules, at))


def _faults(value: Any, rules: dict[str, Any], at: str) -> Iterator[str]:
    for keyword, argument in rules.items():
        if keyword not in ANNOTATIONS:
            yield from _KEYWORDS[keyword](value, argument, rules, at)


def _type(value: Any, names: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    expected = [names] if isinstance(names, str) else names
    if not any(_is(value, name) for name in expected):
        yield f"{at} is not {' or '.join(expected)}"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _TYPES[name])


def _const(value: Any, only: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if value != only:
        yield f"{at} is not {only!r}"


def _enum(value: Any, allowed: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if value not in allowed:
        yield f"{at} is none of {allowed}"


def _pattern(value: Any, pattern: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, str) and not regex(pattern).search(value):
        yield f"{at} does not look like {pattern}"


def _minimum(value: Any, least: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if _is(value, "number") and value < least:
        yield f"{at} is below {least}"


def _maximum(value: Any, most: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if _is(value, "number") and value > most:
        yield f"{at} is above {most}"


def _required(value: Any, names: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{at} has no {name!r}" for name in names if name not in value)


def _properties(value: Any, members: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, rules in members.items():
            if name in value:
                yield from _faults(value[name], rules, f"{at}.{name}")


def _other_properties(value: Any, other: Any, rules: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value.keys() - rules.get("properties", {}).keys():
            yield from _faults(value[name], other, f"{at}.{name}")


def _items(value: Any, rules: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, list):
        for row, item in enumerate(value):
            yield from _faults(item, rules, f"{at}[{row}]")


def _at_most(value: Any, most: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, (str, list)) and len(value) > most:
        yield f"{at} is longer than {most}"


def _at_least(value: Any, least: Any, _rules: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, (str, list)) and len(value) < least:
        yield f"{at} is shorter than {least}"


_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}

ANNOTATIONS = frozenset({"$schema", "$id", "title", "description", "format"})

_KEYWORDS: dict[str, Callable[[Any, Any, dict[str, Any], str], Iterator[str]]] = {
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _other_properties,
    "items": _items,
    "maxLength": _at_most,
    "maxItems": _at_most,
    "minItems": _at_least,
}
