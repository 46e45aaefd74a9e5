from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgeguard.config import Config, parse, reference
from edgeguard.config.collector import CollectorConfig
from edgeguard.config.detector import Detector
from edgeguard.config.mqtt import PLAIN_PORT
from edgeguard.config.rules import examples
from edgeguard.config.schema import Node, child, kind_of, resolved, top
from edgeguard.config.section import Section

TREE = yaml.safe_load(reference())
LISTS_OF_SECTIONS = {
    ".rules",
    ".patterns",
    ".speech.keywords",
    ".speech.understanding.cues",
    ".speech.understanding.classifier.labels",
}


def written(values: Any, node: Node, path: str = "") -> Iterator[tuple[str, Any, Node]]:
    """Path, value and schema of every key of the schema that could stand in `values`."""
    node = kind_of(node, values.get("kind")) or node if isinstance(values, dict) else node
    for key, prop in node.get("properties", {}).items():
        yield f"{path}.{key}", values.get(key, ...), prop
        yield from written(values.get(key), resolved(prop), f"{path}.{key}")
    if "properties" not in node and isinstance(values, (dict, list)):
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            yield from written(value, child(node, key), f"{path}.{key}")


def keys() -> list[tuple[str, Any, Node]]:
    """Those of the reference; a camera's own detector is left to the general one."""
    return [key for key in written(TREE, top()) if not key[0].startswith(".cameras.gate.detector.")]


@pytest.mark.parametrize(("path", "value", "node"), keys(), ids=[path for path, *_ in keys()])
def test_every_key_is_there_at_its_default(path: str, value: Any, node: Node) -> None:
    assert value is not ..., "the key is missing"
    required = "default" not in node
    if not required and not isinstance(value, dict) and not _is_example(path):
        assert value == node["default"]


def _is_example(path: str) -> bool:
    """Lists of sections show one, and a rule on sound must name a sound."""
    if re.fullmatch(r"\.rules\.\d+\.tags", path):
        return bool(TREE["rules"][int(path.split(".")[2])]["kind"] == "heard_and_seen")
    return path in LISTS_OF_SECTIONS or path.endswith(".unless")


def test_every_kind_of_rule_is_there() -> None:
    assert [rule["kind"] for rule in TREE["rules"]] == [example["kind"] for example in examples()]


def models(value: Any) -> Iterator[Section]:
    """Every section in a configuration."""
    if isinstance(value, Section):
        yield value
        value = dict(value)
    below = value.values() if hasattr(value, "values") else value if isinstance(value, tuple) else ()
    for inner in below:
        yield from models(inner)


def test_it_is_valid_and_changes_nothing() -> None:
    """All that is optional has the value that it has when it is left out, or that follows from the rest."""
    config = parse(reference(), "reference.yaml")
    follows = {"timezone", "port", "client_id", "dir", "classes", "name", "tags", "keywords", "rules"}
    follows |= {"unless"} | {path.rpartition(".")[2] for path in LISTS_OF_SECTIONS}
    for section in models(config):
        for name, field in type(section).model_fields.items():
            value = getattr(section, name)
            if not field.is_required() and name not in follows and field.default_factory is None:
                assert isinstance(value, Section) or value == field.default, (type(section), name)
    assert config.mqtt.port == PLAIN_PORT
    assert config.cameras["gate"].detector == config.detector == Detector()


def collector() -> CollectorConfig:
    tree = yaml.safe_load(reference(CollectorConfig))
    return CollectorConfig.model_validate(tree, context={"folder": Path.cwd()})


def test_every_section_is_in_one() -> None:
    def sections(kind: type[Section]) -> set[type[Section]]:
        below = {inner for sub in kind.__subclasses__() for inner in sections(sub)}
        return below if kind.__subclasses__() and kind is not Config else {kind}

    both = [*models(parse(reference(), "reference.yaml")), *models(collector())]
    here = {type(section) for section in both}
    assert {section.__name__ for section in sections(Section)} <= {section.__name__ for section in here}


def test_each_key_is_explained_once() -> None:
    assert reference().count("# Seconds after an alert in which") == 1
    assert reference().count("# Whether it is used at all.") == 1


def test_lines_are_short() -> None:
    assert max(map(len, reference().splitlines())) <= 110
