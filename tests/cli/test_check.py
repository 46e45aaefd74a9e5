from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Type

Write = Callable[[dict[str, Any]], Path]


def test_what_is_right_is_counted(type_in: Type, config: dict[str, Any], write: Write) -> None:
    said = type_in("check", write(config))
    assert said.exit_code == 0
    assert "is valid: 1 camera, 0 microphones, 4 rules" in said.stdout


def test_what_is_allowed_but_odd_is_advised(type_in: Type, config: dict[str, Any], write: Write) -> None:
    config["cameras"]["yard"]["enabled"] = False
    said = type_in("check", write(config))
    assert said.exit_code == 0
    assert any(line.startswith("advice:") and "is not enabled" in line for line in said.stdout.splitlines())


def test_machines_are_answered_in_json(type_in: Type, config: dict[str, Any], write: Write) -> None:
    answer = json.loads(type_in("check", write(config), "--json").stdout)
    again = json.loads(type_in("check", write(config), "--json").stdout)
    assert answer["valid"] is True
    assert answer["fingerprint"] == again["fingerprint"]
    config["detector"]["confidence"] = 0.7
    assert json.loads(type_in("check", write(config), "--json").stdout)["fingerprint"] != again["fingerprint"]


def test_every_fault_is_told_at_once(type_in: Type, config: dict[str, Any], write: Write) -> None:
    config["rules"][0]["severity"] = "terrible"
    config["rules"][1]["camera"] = "yrad"
    del config["mqtt"]
    said = type_in("check", write(config))
    assert said.exit_code == 78
    for fault in ("terrible", "yrad", "mqtt"):
        assert fault in said.stderr
