from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from tests.cli.conftest import Type
from tests.config.trees import tree
from tests.golden.record import OBSERVATIONS


def written(folder: Path, name: str, severity: str, cooldown_s: float) -> Path:
    ears = {"yard-mic": {"url": "alsa://default"}}
    rule = {"kind": "sound", "name": "noise", "severity": severity, "cooldown_s": cooldown_s}
    path = folder / name
    path.write_text(yaml.safe_dump(tree(microphones=ears, rules=[rule])))
    return path


def test_the_difference_is_told_by_day(type_in: Type, tmp_path: Path) -> None:
    log = tmp_path / "observations"
    log.mkdir()
    shutil.copy(OBSERVATIONS, log / "2023-11-14.jsonl")
    new = written(tmp_path, "new.yaml", "critical", 0)
    old = written(tmp_path, "old.yaml", "info", 0)
    result = type_in("replay", log, "--rules", new, "--against", old)
    assert result.exit_code == 0, result.output
    assert "noise yard-mic critical: 1  (was 0, +1)" in result.output
    assert "noise yard-mic info: 0  (was 1, -1)" in result.output
    told = json.loads(type_in("replay", log, "--rules", new, "--json").stdout)
    assert [(row["rule"], row["alerts"], row["before"]) for row in told["days"]] == [("noise", 1, None)]
    assert told["alerts"][0]["severity"] == "critical"


def test_what_is_no_log_is_said(type_in: Type, tmp_path: Path) -> None:
    new = written(tmp_path, "new.yaml", "critical", 0)
    torn = tmp_path / "torn.jsonl"
    torn.write_text("{}\n" + OBSERVATIONS.read_text())
    result = type_in("replay", torn, "--rules", new)
    assert result.exit_code == 1
    assert "torn.jsonl:1" in result.output
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        assert "set log.observations" in type_in("replay", tmp_path / folder, "--rules", new).output


def test_a_torn_last_line_costs_itself_alone(type_in: Type, tmp_path: Path) -> None:
    new = written(tmp_path, "new.yaml", "critical", 0)
    torn = tmp_path / "torn.jsonl"
    torn.write_text(OBSERVATIONS.read_text() + '{"kind":"so')
    assert "noise yard-mic critical: 1" in type_in("replay", torn, "--rules", new).output
