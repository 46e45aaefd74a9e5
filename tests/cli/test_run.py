from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Type
from tests.support.daemon import EDGEGUARD, clean_environment

Write = Callable[[dict[str, Any]], Path]


def test_a_wrong_configuration_is_78_with_every_fault_in_it(
    type_in: Type, config: dict[str, Any], write: Write
) -> None:
    config["cameras"]["yard"]["fsp"] = 5
    config["rules"][0]["zone"] = "penn"
    config["mqtt"]["port"] = 70_000
    said = type_in("run", write(config))
    assert said.exit_code == 78
    assert len(said.stderr.splitlines()) == 3
    for fault in ("fsp", "penn", "70000"):
        assert fault in said.stderr
    assert said.stdout == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cameras: [", "edgeguard.yaml"),
        ("!!python/object/apply:os.system ['true']", "edgeguard.yaml"),
        ("", "mqtt"),
        ("\x00", "edgeguard.yaml"),
    ],
)
def test_what_is_no_configuration_is_78(type_in: Type, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "edgeguard.yaml"
    path.write_text(text)
    result = type_in("run", path)
    assert result.exit_code == 78
    assert said in result.stderr


def test_a_file_that_is_not_there_is_78(type_in: Type) -> None:
    said = type_in("run", "/nowhere/edgeguard.yaml")
    assert said.exit_code == 78
    assert "/nowhere/edgeguard.yaml" in said.stderr


def test_a_state_folder_that_cannot_be_written_is_1_with_the_way_out(
    type_in: Type, config: dict[str, Any], write: Write, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    config["state_dir"] = "file/state"
    said = type_in("run", write(config))
    assert said.exit_code == 1
    assert "set `state_dir` to a folder" in said.stderr


def test_a_scene_that_is_none_is_1_with_those_there_are(
    type_in: Type, config: dict[str, Any], write: Write
) -> None:
    config["cameras"]["yard"]["url"] = "scene://yrad"
    said = type_in("run", write(config))
    assert said.exit_code == 1
    assert "did you mean 'yard'" in said.stderr


@pytest.mark.parametrize(
    "words", [("rnu", "edgeguard.yaml"), ("run",), ("run", "--forever", "edgeguard.yaml"), ("check",)]
)
def test_what_is_not_understood_is_2(type_in: Type, words: tuple[str, ...]) -> None:
    said = type_in(*words)
    assert said.exit_code == 2
    assert "Error" in said.stderr


def test_nothing_typed_is_answered_with_help(type_in: Type) -> None:
    said = type_in()
    assert all(command in said.output for command in ("run", "check", "watch", "models", "config"))


@pytest.mark.parametrize(
    ("words", "code"), [(("run", "/nowhere.yaml"), 78), (("rnu",), 2), (("version",), 0)]
)
def test_the_program_ends_as_its_commands_do(words: tuple[str, ...], code: int) -> None:
    ended = subprocess.run([*EDGEGUARD, *words], capture_output=True, env=clean_environment(), timeout=60)
    assert ended.returncode == code
    assert b"Traceback" not in ended.stderr
