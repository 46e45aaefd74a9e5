"""A configuration file with every key at its default, written from the schema."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

from edgeguard.config.root import Config
from edgeguard.config.schema import Node, Root, child, kind_of, resolved, top

HEAD = """\
# yaml-language-server: $schema={schema}
#
# Every key of the configuration, at its default. Names of cameras, zones, rules and the like, and keys marked
# "Required", are examples. Copy what you want to change: what is left out is as it stands here.
"""
_WIDTH = 105
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./:-]*[A-Za-z0-9]")


def reference(root: Root = Config, schema_file: str = "edgeguard.schema.json") -> str:
    """The text of `configs/reference.yaml`, or of another root's file."""
    writer = _Writer()
    writer.section(top(root), {}, 0)
    return HEAD.format(schema=schema_file) + "\n".join(writer.lines) + "\n"


class _Writer:
    """Writes sections, telling about each key once and writing out each kind of section once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._told: set[tuple[str, str]] = set()
        self._written: set[str] = set()

    def section(self, node: Node, example: dict[str, Any], indent: int) -> None:
        for key, prop in node["properties"].items():
            self._comment(key, prop, key in node.get("required", ()), indent)
            inner = resolved(prop)
            if "properties" in inner and prop["$ref"] in self._written and key not in example:
                self._line(indent, f"{key}: {{}}")
            else:
                self._written.add(prop.get("$ref", key))
                self._entry(key, inner, example, indent)

    def _entry(self, key: str, node: Node, example: dict[str, Any], indent: int) -> None:
        value = example.get(key, node.get("examples", [None])[0])
        if "properties" in node:
            self._line(indent, f"{key}:")
            self.section(node, value or {}, indent + 1)
        elif _is_container(node):
            self._line(indent, f"{key}:")
            self._container(node, value, indent + 1)
        else:
            value = example[key] if key in example else node.get("default", value)
            self._line(indent, f"{key}: {_flow(value)}")

    def _container(self, node: Node, value: Any, indent: int) -> None:
        """Named sections, or a list of them, or named lists of them."""
        if isinstance(value, list):
            for item in value:
                self._item(resolved(node["items"]), item, indent)
            return
        for name, inner in value.items():
            self._line(indent, f"{name}:")
            write = self.section if isinstance(inner, dict) else self._container
            write(child(node, name), inner, indent + 1)

    def _item(self, node: Node, example: dict[str, Any], indent: int) -> None:
        begin = len(self.lines)
        self.section(kind_of(node, example.get("kind")) or node, example, indent + 1)
        self._bullet(begin, indent)

    def _bullet(self, begin: int, indent: int) -> None:
        """Turn the lines from `begin` on into a list entry."""
        margin = "  " * indent
        for index in range(begin, len(self.lines)):
            text = self.lines[index].lstrip()
            self.lines[index] = margin + (text if text.startswith("#") else f"- {text}")
            if not text.startswith("#"):
                return

    def _comment(self, key: str, prop: Node, required: bool, indent: int) -> None:
        text = prop["description"]
        if indent == 0:
            self.lines.append("")
        if (key, text) not in self._told:
            self._told.add((key, text))
            words = f"Required. {text}" if required and "const" not in prop else text
            self.lines += textwrap.wrap(words, _WIDTH, **_comment_indents(indent))

    def _line(self, indent: int, text: str) -> None:
        self.lines.append("  " * indent + text)


def _comment_indents(indent: int) -> dict[str, Any]:
    mark = "  " * indent + "# "
    return {"initial_indent": mark, "subsequent_indent": mark, "break_on_hyphens": False}


def _is_container(node: Node) -> bool:
    """Whether sections hang below it under names or numbers that the user chooses."""
    below = node.get("items") or next(iter(node.get("patternProperties", {}).values()), None)
    if not below:
        return False
    below = resolved(below)
    return "properties" in below or "discriminator" in below or _is_container(below)


_NO_TEXT = ("true", "false", "null", "on", "off", "yes", "no")
"""What YAML 1.1 takes for something else unless it is quoted."""


def _flow(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _NO_TEXT:
        return value
    return json.dumps(value)
