from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeguard.alerts.audit import AuditLog
from edgeguard.clock import ManualClock
from tests.cli.conftest import Type


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path, ManualClock())
    for by in ("eva", "tom", "ann"):
        log.done("ack", by=by)
    return log


def test_an_honest_log(type_in: Type, log: AuditLog, tmp_path: Path) -> None:
    said = type_in("audit", "verify", tmp_path, "--head", log.head or "")
    assert said.exit_code == 0
    assert said.stdout.startswith("3 lines, 0 of them torn; the last is ")


def test_a_line_that_was_changed(type_in: Type, log: AuditLog, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text(path.read_text().replace("tom", "tim"))
    said = type_in("audit", "verify", tmp_path)
    assert said.exit_code == 1
    assert "audit.jsonl:3 does not follow the line before it" in said.stderr
    answer = json.loads(type_in("audit", "verify", tmp_path, "--json").stdout)
    assert (answer["lines"], answer["fault"]) == (3, "audit.jsonl:3 does not follow the line before it")


def test_an_end_that_was_cut_off(type_in: Type, log: AuditLog, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert type_in("audit", "verify", tmp_path).exit_code == 0
    said = type_in("audit", "verify", tmp_path, "--head", log.head or "")
    assert said.exit_code == 1
    assert "cut off or added" in said.stderr


def test_a_folder_that_is_not_there(type_in: Type, tmp_path: Path) -> None:
    said = type_in("audit", "verify", tmp_path / "none")
    assert said.exit_code == 1
    assert "there is no folder" in said.stderr
