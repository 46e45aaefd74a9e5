from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml

from edgeguard.config import reference, schema
from edgeguard.config.schema import locate, words
from tests.config.trees import tree


def properties() -> list[tuple[str, dict[str, Any]]]:
    """Every key, as `section.key`, with its schema."""
    whole = schema()
    sections = [("", whole), *whole["$defs"].items()]
    return [
        (f"{name}.{key}", node) for name, part in sections for key, node in part.get("properties", {}).items()
    ]


def test_it_is_a_schema_of_its_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_caller_gets_his_own() -> None:
    schema()["properties"].clear()
    assert schema()["properties"]


@pytest.mark.parametrize(("key", "node"), properties(), ids=[key for key, _ in properties()])
def test_every_key_is_described(key: str, node: dict[str, Any]) -> None:
    text = node["description"]
    assert re.match(r"[A-Za-z0-9`/:]+.*\.$", text), text
    assert "\n" not in text
    assert "title" not in node
    if isinstance(node.get("default"), (int, float, str)):
        assert "Default: " in text


@pytest.mark.parametrize("values", [tree(), yaml.safe_load(reference())], ids=["small", "reference"])
def test_a_valid_file_fits(values: Any) -> None:
    jsonschema.Draft202012Validator(schema()).validate(values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": "A"},
        {"sight": "a"},
        {"cameras": {"A b": {"url": "scene://yard"}}},
        {"cameras": {"a": {"url": "http://yard"}}},
        {"cameras": {"a": {}}},
        {"cameras": {"a": {"url": "scene://yard", "zones": {"z": {"polygon": [[0, 0], [1, 1], [0, 2]]}}}}},
        {"rules": [{"kind": "loiter", "name": "a"}]},
        {"schedules": {"s": [{"from": "25:00", "to": "1:00"}]}},
        {"mqtt": {"host": "h", "port": 0}},
        {"detector": {"classes": ["persn"]}},
        {"detector": {"classes": []}},
    ],
)
def test_an_editor_marks_what_is_wrong(wrong: Any) -> None:
    assert not jsonschema.Draft202012Validator(schema()).is_valid(tree(**wrong))


@pytest.mark.parametrize(
    ("loc", "path", "expected"),
    [
        (("site",), ("site",), "a name (a-z, 0-9, -; a letter or digit first, 32 characters at most)"),
        (("cameras", "a", "analyse_fps"), ("cameras", "a", "analyse_fps"), "a number above 0, up to 60"),
        (("cameras", "a", "zones", "z", "polygon"), ..., "a list of 3 to 64 entries"),
        (("rules", 2, "crowd", "count"), ("rules", 2, "count"), "a whole number from 2 to 1000"),
        (("rules", 2, "crowd", "classes"), ("rules", 2, "classes"), "a list of at least one entry"),
        (("schedules", "s", 0, "from"), ..., "a time of day from 00:00 to 24:00, such as 22:00"),
        (("evidence", "max_bytes"), ..., "a whole number of at least 10000000"),
        (("evidence", "dir"), ..., "a path"),
        (("mqtt", "protocol"), ..., "one of mqtt5, mqtt311"),
        (("speech", "enabled"), ..., "true or false"),
        (("no", "such", 5, "key"), ..., "a mapping (`key: value`)"),
    ],
)
def test_places_and_what_is_expected_there(loc: Any, path: Any, expected: str) -> None:
    found, node = locate(loc)
    assert found == (loc if path is ... else path)
    assert words(node) == expected
