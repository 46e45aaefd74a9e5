from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from edgeguard.config import load
from edgeguard.config.proposal import propose
from edgeguard.runtime.config_store import ConfigStore, Kept
from tests.cli.conftest import Type

Write = Callable[[dict[str, Any]], Path]


def test_the_schema_accepts_the_reference(type_in: Type) -> None:
    schema = json.loads(type_in("config", "schema").stdout)
    reference = yaml.safe_load(type_in("config", "reference").stdout)
    Draft202012Validator(schema).validate(reference)


@pytest.mark.parametrize(("option", "read"), [((), yaml.safe_load), (("--json",), json.loads)])
def test_what_is_shown_is_complete_and_keeps_secrets(
    type_in: Type, config: dict[str, Any], write: Write, option: tuple[str, ...], read: Callable[[str], Any]
) -> None:
    config["cameras"]["yard"]["url"] = "rtsp://guard:hunter2@192.0.2.1/1"
    said = type_in("config", "show", write(config), *option)
    assert "hunter2" not in said.output
    assert said.stdout.endswith("\n")
    shown = read(said.stdout)
    assert shown["cameras"]["yard"]["url"] == "rtsp://***@192.0.2.1/1"
    assert shown["tracker"]["lost_s"] > 0


def test_what_is_wrong_is_78(type_in: Type, config: dict[str, Any], write: Write) -> None:
    del config["site"]
    said = type_in("config", "show", write(config))
    assert said.exit_code == 78
    assert "site" in said.stderr


def test_the_difference_of_two_files(
    type_in: Type, config: dict[str, Any], write: Write, tmp_path: Path
) -> None:
    before = write(config)
    other = tmp_path / "other.yaml"
    config["cameras"]["yard"]["analyse_fps"] = 9
    other.write_text(yaml.safe_dump(config))
    same = type_in("config", "diff", before, before)
    assert (same.exit_code, same.stdout) == (0, "")
    said = type_in("config", "diff", before, other)
    assert said.exit_code == 1
    assert said.stdout.startswith("~ cameras.yard.analyse_fps: ")
    plain = json.loads(type_in("config", "diff", before, other, "--json").stdout)
    assert plain["changes"][0]["path"] == "cameras.yard.analyse_fps"
    assert plain["sha256"][0] != plain["sha256"][1]


def test_the_difference_from_what_proved_itself(
    type_in: Type, config: dict[str, Any], write: Write, tmp_path: Path
) -> None:
    path = write(config)
    none = type_in("config", "diff", path)
    assert none.exit_code == 78
    assert "proved itself" in none.stderr
    ConfigStore(load(path).state_dir).settle(Kept(propose(path), 0))
    assert type_in("config", "diff", path).exit_code == 0
    config["cameras"]["yard"]["analyse_fps"] = 9
    said = type_in("config", "diff", write(config))
    assert (said.exit_code, "analyse_fps" in said.stdout) == (1, True)
