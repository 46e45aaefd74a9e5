"""The example conversation that ships with the package is what the code says today."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeguard.alerts.check import SCHEMAS
from edgeguard.alerts.parse import parse
from edgeguard.alerts.topics import addressee, sender
from tests.alerts.strict import assert_valid
from tests.golden.conversation import PATH, lines

ROWS: list[dict[str, Any]] = [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]


def test_it_is_current() -> None:
    assert PATH.read_text("utf-8") == lines(), "run `python -m tests.golden.conversation`"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_each_message_is_valid_and_on_its_topic(row: dict[str, Any]) -> None:
    message = row["message"]
    name = message["schema"].split(".")[1]
    assert_valid(name, parse(json.dumps(message).encode(), name))
    assert (sender(row["topic"]) or addressee(row["topic"])) == (message["site"], message["device"], name)
    assert row["retained"] == (name in ("status", "counts", "config") or row["topic"].endswith("/up/health"))


def test_every_kind_of_message_occurs() -> None:
    assert {row["message"]["schema"].split(".")[1] for row in ROWS} == set(SCHEMAS)
