"""`edgeguard drill`, as far as it goes without a service."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from edgeguard.cli.drill import _print
from edgeguard.cli.main import app
from edgeguard.clock import SystemClock
from edgeguard.runtime.drill_folder import DrillFolder, Record
from edgeguard.runtime.drill_session import Played, Result
from tests.config.trees import tree


def write(folder: Path, **section: Any) -> Path:
    path = folder / "edgeguard.yaml"
    path.write_text(yaml.safe_dump(tree(state_dir="state", drill=section)))
    (folder / "state").mkdir(exist_ok=True)
    return path


def run(*words: str) -> tuple[int, str]:
    said = CliRunner().invoke(app, ["drill", *words])
    return said.exit_code, said.output


def test_a_timer_comes_for_nothing_where_none_is_asked_for(tmp_path: Path) -> None:
    config = write(tmp_path)
    assert run(str(config), "--if-due") == (0, "no drill is due: drill.every_h is not set\n")
    code, said = run(str(config), "--if-due", "--json")
    assert (code, json.loads(said)) == (0, {"held": False, "reason": "drill.every_h is not set"})


def test_a_timer_leaves_one_alone_that_passed_lately(tmp_path: Path) -> None:
    config = write(tmp_path, every_h=24)
    DrillFolder(tmp_path / "state").remember(Record(heard_utc_ns=SystemClock().utc_ns()))
    code, said = run(str(config), "--if-due")
    assert (code, said) == (0, "no drill is due: the last one passed 0.0 hours ago\n")


def test_where_none_may_be_held_it_says_so(tmp_path: Path) -> None:
    code, said = run(str(write(tmp_path, enabled=False)))
    assert (code, "drill.enabled is false" in said) == (78, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read what systemd hands out")
def test_root_listens_with_the_secrets_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    mqtt = {"host": "localhost", "username": "guard", "password_file": "/home/gone/broker"}
    config = tmp_path / "edgeguard.yaml"
    config.write_text(yaml.safe_dump(tree(state_dir="state", mqtt=mqtt)))
    code, said = run(str(config), "--timeout", "20")
    assert (code, "/home/gone/broker" in said) == (78, True)
    (tmp_path / "credentials").mkdir()
    secret = tmp_path / "credentials" / "broker"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    code, said = run(str(config), "--timeout", "20")
    assert (code, "no folder" in said) == (1, True), "the folder of the state is what is missing now"


def test_without_the_folder_of_the_state_no_service_runs(tmp_path: Path) -> None:
    config = write(tmp_path)
    (tmp_path / "state").rmdir()
    code, said = run(str(config), "--timeout", "20")
    assert (code, "the service does not run" in said) == (1, True)
    assert f"there is no folder {tmp_path / 'state'}" in said


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    config = write(tmp_path)
    (tmp_path / "state").rmdir()
    (tmp_path / "state").touch()
    code, said = run(str(config), "--timeout", "20")
    assert (code, "cannot write" in said) == (1, True)


def test_what_was_lost_stands_where_it_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    after = {"captured": 0.0, "inferred": 12.3}
    act = Played("intrusion", "drill-intrusion", "drill", "a model", None, "noticed", after, {})
    _print(Result("one", False, 40.0, "why", (act,), {"call": "no model"}))
    said = capsys.readouterr().out
    assert "intrusion" in said
    assert said.index("12") < said.index("lost")
    assert "call was left out: no model" in said
    assert "passed" not in said
