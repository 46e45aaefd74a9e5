"""Every key of the configuration as Markdown tables, written from the schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from edgeguard.config.root import Config
from edgeguard.config.schema import Node, Root, kind_of, resolved, top, words

BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"
_COLUMNS = "| key | expected | default | meaning |\n|---|---|---|---|\n"


def tables(root: Root = Config) -> str:
    """One table for each section, one for each kind of rule."""
    return "\n".join(f"### {title}\n\n{_COLUMNS}{''.join(rows)}" for title, rows in _sections(top(root), ""))


def with_tables(document: str, root: Root = Config) -> str:
    """`document` with the tables between its two marks."""
    before, _, rest = document.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables(root)}\n{END}{after}"


def _sections(node: Node, path: str) -> Iterator[tuple[str, list[str]]]:
    """Title and rows of a section, then of those below it."""
    required = node.get("required", ())
    rows = [_row(key, prop, key in required) for key, prop in node["properties"].items()]
    yield (f"`{path}`" if path else "Top level"), rows
    for key, prop in node["properties"].items():
        yield from _below(resolved(prop), f"{path}.{key}".removeprefix("."))


def _below(node: Node, path: str) -> Iterator[tuple[str, list[str]]]:
    if "properties" in node:
        if path != "cameras.<name>.detector":  # its keys are those of `detector`
            yield from _sections(node, path)
    elif "discriminator" in node:
        yield from _kinds(node, path)
    elif "patternProperties" in node:
        yield from _below(resolved(next(iter(node["patternProperties"].values()))), f"{path}.<name>")
    elif "items" in node:
        yield from _below(resolved(node["items"]), f"{path}[]")


def _kinds(node: Node, path: str) -> Iterator[tuple[str, list[str]]]:
    """What all kinds have in common, then what each has beside it."""
    examples = top()["properties"][path.removesuffix("[]")]["examples"][0]
    names = [example["kind"] for example in examples]
    kinds = {name: kind_of(node, name) or {} for name in names}
    common = set.intersection(*(set(kind["properties"]) for kind in kinds.values()))
    first = kinds[names[0]]
    every = {"kind": {"enum": names, "description": "What must happen: see below."}}
    shared = {key: every.get(key, prop) for key, prop in first["properties"].items() if key in common}
    yield (
        f"`{path}`, every kind",
        [_row(key, prop, key in first["required"]) for key, prop in shared.items()],
    )
    for name, kind in kinds.items():
        own = {key: prop for key, prop in kind["properties"].items() if key not in common}
        told = kind["properties"]["kind"]["description"]
        rows = [_row(key, prop, key in kind["required"]) for key, prop in own.items()]
        yield f"`{path}` of kind `{name}`: {told[0].lower()}{told[1:-1]}", rows
    yield from _once(kinds.values(), path)


def _once(kinds: Iterable[Node], path: str) -> Iterator[tuple[str, list[str]]]:
    """What is below the kinds, each section under the first key that has it."""
    known: list[list[str]] = []
    for kind in kinds:
        for key, prop in kind["properties"].items():
            for title, rows in _below(resolved(prop), f"{path}.{key}"):
                if rows not in known:
                    known.append(rows)
                    yield title, rows


def _row(key: str, prop: Node, required: bool) -> str:
    node = resolved(prop)
    expected = "see below" if any(_below(node, key)) else words(node)
    cells = f"`{key}`", expected, "required" if required else _default(prop), prop["description"]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _default(prop: Node) -> str:
    value: Any = prop.get("default")
    return "–" if value is None or isinstance(value, dict) else f"`{json.dumps(value)}`"
