"""docs/mqtt.md says what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edgeguard.alerts.check import SCHEMAS, schema
from edgeguard.alerts.parse import parse
from tests.alerts.strict import assert_valid
from tests.alerts.test_asyncapi import CHANNELS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "mqtt.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def name_of(example: str) -> str:
    name: str = json.loads(example)["schema"].split(".")[1]
    return name


def test_each_message_has_an_example() -> None:
    assert [name_of(example) for example in EXAMPLES] == list(SCHEMAS)


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_the_examples_are_valid_and_complete(example: str) -> None:
    assert_valid(name_of(example), parse(example.encode(), name_of(example)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_member_is_explained(name: str) -> None:
    missing = [member for member in schema(name)["properties"] if f"`{member}`" not in PAGE]
    assert missing == []


def test_the_topics_are_those_of_the_code() -> None:
    for channel in CHANNELS.values():
        topic = re.sub(r"{(\w+)}", r"<\1>", channel["address"])
        assert f"| `{topic}` |" in PAGE


def test_every_word_of_every_enumeration_is_explained() -> None:
    words = {word for name in SCHEMAS for word in re.findall(r'"enum": (\[.*?\])', json.dumps(schema(name)))}
    for listed in words:
        for word in json.loads(listed):
            assert word is None or f"`{word}`" in PAGE or f"custody: {word}" in PAGE, word
