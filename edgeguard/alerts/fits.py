"""The same question as `check.faults`, answered fast: yes or no, by functions made once from a schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from edgeguard.alerts.check import ANNOTATIONS, regex, schema

Test = Callable[[Any], bool]


@cache
def fits(name: str) -> Test:
    """Whether a value read from JSON is a valid message of schema `name`."""
    return made(schema(name))


def made(rules: dict[str, Any]) -> Test:
    """The test that `rules` stand for; they are the part of JSON Schema that `check` knows."""
    tests = [
        _MAKERS[keyword](argument, rules) for keyword, argument in rules.items() if keyword not in ANNOTATIONS
    ]
    if len(tests) == 1:
        return tests[0]

    def all_hold(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost as much as the tests
            if not test(value):
                return False
        return True

    return all_hold


def _type(names: Any, _rules: dict[str, Any]) -> Test:
    wanted = [names] if isinstance(names, str) else names
    classes = frozenset(kind for name in wanted for kind in _CLASSES[name])
    if "integer" in wanted and "number" not in wanted:
        return lambda value: type(value) in classes or (type(value) is float and value.is_integer())
    return lambda value: type(value) in classes


def _const(only: Any, _rules: dict[str, Any]) -> Test:
    return lambda value: bool(value == only)


def _enum(allowed: Any, _rules: dict[str, Any]) -> Test:
    return lambda value: value in allowed


def _pattern(pattern: Any, _rules: dict[str, Any]) -> Test:
    search = regex(pattern).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _minimum(least: Any, _rules: dict[str, Any]) -> Test:
    return lambda value: type(value) not in _NUMBERS or value >= least


def _maximum(most: Any, _rules: dict[str, Any]) -> Test:
    return lambda value: type(value) not in _NUMBERS or value <= most


def _required(names: Any, _rules: dict[str, Any]) -> Test:
    wanted = frozenset(names)
    return lambda value: not isinstance(value, dict) or value.keys() >= wanted


def _properties(members: Any, _rules: dict[str, Any]) -> Test:
    tests = [(name, made(rules)) for name, rules in members.items()]

    def each_fits(value: Any) -> bool:
        if isinstance(value, dict):
            for name, test in tests:
                if name in value and not test(value[name]):
                    return False
        return True

    return each_fits


def _other_properties(other: Any, rules: dict[str, Any]) -> Test:
    named, test = rules.get("properties", {}).keys(), made(other)
    return lambda value: (
        not isinstance(value, dict) or all(test(value[name]) for name in value.keys() - named)
    )


def _items(rules: Any, _rules: dict[str, Any]) -> Test:
    test = made(rules)
    return lambda value: not isinstance(value, list) or all(map(test, value))


def _at_most(most: Any, _rules: dict[str, Any]) -> Test:
    return lambda value: not isinstance(value, (str, list)) or len(value) <= most


def _at_least(least: Any, _rules: dict[str, Any]) -> Test:
    return lambda value: not isinstance(value, (str, list)) or len(value) >= least


_NUMBERS = (int, float)
_CLASSES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": _NUMBERS,
    "boolean": (bool,),
    "null": (type(None),),
}

_MAKERS: dict[str, Callable[[Any, dict[str, Any]], Test]] = {
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
