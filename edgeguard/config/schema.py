"""The configuration's JSON Schema (2020-12), and places in it."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from typing import Any

from edgeguard.config.collector import CollectorConfig
from edgeguard.config.faults import Path
from edgeguard.config.root import Config
from edgeguard.config.section import NAME_WORDS, Section

Node = dict[str, Any]
"""A part of a JSON Schema."""
Root = type[Section]
"""Which kind of file: `Config` or `CollectorConfig`."""


def schema(root: Root = Config) -> Node:
    """JSON Schema of a configuration file; its descriptions tell units and defaults."""
    whole = deepcopy(top(root))
    for definition in (whole, *whole["$defs"].values()):
        for node in definition.get("properties", {}).values():
            default = node.get("default")
            if default is not None and not isinstance(default, (dict, list)):
                node["description"] += f" Default: {json.dumps(default)}."
    return whole


@cache
def top(root: Root = Config) -> Node:
    """The schema of the whole file, its descriptions without defaults; not to be changed."""
    whole = root.model_json_schema()
    definitions = whole.pop("$defs")
    for definition in (whole, *definitions.values()):
        definition.pop("title", None)
        for node in definition.get("properties", {}).values():
            _finish(node, definitions)
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": root.__doc__}
    return {**title, **whole, "$defs": definitions}


@cache
def _definitions() -> Node:
    """The sections of all files: a name means the same in each."""
    return {**top(CollectorConfig)["$defs"], **top()["$defs"]}


def _finish(node: Node, definitions: Node) -> None:
    """A property as editors like it, the same from every version of pydantic."""
    node.pop("title", None)
    node.update(*node.pop("allOf", ()))
    section = definitions.get(node.get("$ref", "").rpartition("/")[2], {})
    node["description"] = " ".join((node.get("description") or section.get("description", "")).split())
    if "default" in node and node["default"] is None and "type" in node:
        node["type"] = [node["type"], "null"]
    if "patternProperties" in node:
        node["additionalProperties"] = False
        node["propertyNames"] = {"patternErrorMessage": NAME_WORDS}


def resolved(node: Node) -> Node:
    """`node`, its reference followed and its null left out."""
    while True:
        if "$ref" in node:
            target = _definitions()[node["$ref"].rpartition("/")[2]]
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        elif "anyOf" in node:
            real = next(choice for choice in node["anyOf"] if choice != {"type": "null"})
            node = {**real, **{key: value for key, value in node.items() if key != "anyOf"}}
        else:
            return node


def kind_of(node: Node, kind: object) -> Node | None:
    """The section for `kind`, where `node` is a choice of sections."""
    mapping = node.get("discriminator", {}).get("mapping", {})
    return resolved({"$ref": mapping[kind]}) if isinstance(kind, str) and kind in mapping else None


def child(node: Node, part: str | int) -> Node:
    """What the schema says about a key or list entry of `node`; empty if nothing."""
    if isinstance(part, int):
        found = node.get("items", {})
    else:
        entries: Node = next(iter(node.get("patternProperties", {}).values()), {})
        found = node.get("properties", {}).get(part, entries)
    return resolved(found)


def locate(loc: Path, root: Root = Config) -> tuple[Path, Node]:
    """The file's path and the schema for pydantic's location, which names the chosen kinds as well."""
    path: Path = ()
    node = top(root)
    for part in loc:
        chosen = kind_of(node, part)
        if chosen is None:
            path += (part,)
            node = child(node, part)
        else:
            node = chosen
    return path, node


def words(node: Node) -> str:
    """What is expected at `node`, in English."""
    if "patternErrorMessage" in node:
        return str(node["patternErrorMessage"])
    if "const" in node or "enum" in node:
        return _choice(node.get("enum") or [node["const"]])
    if "discriminator" in node:
        return f"a mapping whose kind is {_choice(node['discriminator']['mapping'])}"
    kind = node.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return f"a list of {_length(node)}"
    return _NOUNS[kind] + _range(node)


_NOUNS = {
    "object": "a mapping (`key: value`)",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
}


def _choice(values: Any) -> str:
    names = [str(value) for value in values]
    return f"one of {', '.join(names)}" if len(names) > 1 else names[0]


def _length(node: Node) -> str:
    low, high = node.get("minItems", 0), node.get("maxItems")
    if high is not None:
        return f"{low} to {high} entries"
    return {0: "entries", 1: "at least one entry"}.get(low, f"at least {low} entries")


def _range(node: Node) -> str:
    low, above, high = (_number(node.get(key)) for key in ("minimum", "exclusiveMinimum", "maximum"))
    if low and high:
        return f" from {low} to {high}"
    parts = ((f"above {above}", above), (f"of at least {low}", low), (f"up to {high}", high))
    told = [words for words, bound in parts if bound]
    return f" {', '.join(told)}" if told else ""


def _number(bound: float | None) -> str:
    return "" if bound is None else str(int(bound) if float(bound).is_integer() else bound)
