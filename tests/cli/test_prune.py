from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeguard.clock import SystemClock
from edgeguard.config.proposal import propose
from edgeguard.runtime.config_store import ConfigStore, Kept
from tests.cli.conftest import Type

Write = Callable[[dict[str, Any]], Path]
DAY_S = 86_400


@pytest.fixture
def site(tmp_path: Path, config: dict[str, Any], write: Write) -> Path:
    """A guard that is stopped, with evidence that is too old."""
    config["state_dir"] = str(tmp_path / "state")
    config["evidence"] = {"max_days": 7}
    old = tmp_path / "state" / "evidence" / "2020-01-01" / "alert-1.jpg"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"x" * 1_000_000)
    seconds = old.stat().st_mtime - 30 * DAY_S
    os.utime(old, (seconds, seconds))
    return write(config)


def evidence(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state" / "evidence").glob("*/*"))


def test_what_would_go_is_said_before_it_goes(tmp_path: Path, type_in: Type, site: Path) -> None:
    said = type_in("prune", site, "--dry-run")
    assert said.exit_code == 0
    assert "evidence      1 would go, 1.0 MB" in said.stdout
    assert len(evidence(tmp_path)) == 1
    assert "evidence      1 removed, 1.0 MB" in type_in("prune", site).stdout
    assert evidence(tmp_path) == []


def test_machines_are_answered_in_json(type_in: Type, site: Path) -> None:
    answer = json.loads(type_in("prune", site, "--json").stdout)
    kinds = {one["what"]: one for one in answer["swept"]}
    assert set(kinds) == {"evidence", "transcripts", "observations", "models"}
    assert (kinds["evidence"]["removed"], kinds["evidence"]["freed_bytes"]) == (1, 1_000_000)
    assert answer["dry_run"] is False


def test_nothing_to_remove_is_no_fault(type_in: Type, config: dict[str, Any], write: Write) -> None:
    assert type_in("prune", write(config)).exit_code == 0


def test_a_wrong_configuration_removes_nothing(tmp_path: Path, type_in: Type, site: Path) -> None:
    site.write_text(site.read_text().replace("max_days", "max_dais"))
    assert type_in("prune", site).exit_code == 78
    assert len(evidence(tmp_path)) == 1


def test_the_engine_of_a_configuration_that_was_sent_stays(
    tmp_path: Path, type_in: Type, config: dict[str, Any], write: Write
) -> None:
    """The guard runs what proved itself, which need not be what the file says."""
    config |= {"state_dir": str(tmp_path / "state"), "models": {"dir": str(tmp_path / "models")}}
    engines = [
        tmp_path / "models" / name / "engines" / f"{name}.fp16.plan" for name in ("nanodet-m", "spare")
    ]
    for engine in engines:
        engine.parent.mkdir(parents=True)
        engine.write_bytes(b"plan")
        os.utime(engine, (0, 0))
    sent = write({**config, "detector": {"model": "nanodet-m"}})
    ConfigStore(tmp_path / "state").settle(Kept(propose(sent), 0))
    assert type_in("prune", write(config)).exit_code == 0
    assert [engine.exists() for engine in engines] == [True, False]


def test_nothing_goes_for_a_clock_that_leapt(tmp_path: Path, type_in: Type, site: Path) -> None:
    then_ns, now_ns = time.time_ns() - 100 * DAY_S * 10**9, SystemClock().monotonic_ns()
    note = tmp_path / "state" / "believed-time"
    note.write_text(json.dumps({"utc_ns": then_ns, "monotonic_ns": now_ns}))
    said = type_in("prune", site)
    assert "evidence      0 removed" in said.stdout
    assert "the clock leapt 100.0 days ahead" in said.stdout
    assert "100.0 days" in json.loads(type_in("prune", site, "--json").stdout)["clock_doubt"]
    examined = json.loads(type_in("doctor", site, "--only", "disk", "--json").stdout)
    assert "100.0 days" in json.dumps(examined)
    note.unlink()
    assert "evidence      1 removed" in type_in("prune", site).stdout


def test_engines_stay_for_a_clock_that_leapt_as_well(
    tmp_path: Path, type_in: Type, config: dict[str, Any], write: Write
) -> None:
    config |= {"state_dir": str(tmp_path / "state"), "models": {"dir": str(tmp_path / "models")}}
    engine = tmp_path / "models" / "spare" / "engines" / "spare.fp16.plan"
    engine.parent.mkdir(parents=True)
    engine.write_bytes(b"plan")
    then_ns = time.time_ns() - 100 * DAY_S * 10**9
    os.utime(engine, ns=(then_ns, then_ns))
    (tmp_path / "state").mkdir(exist_ok=True)
    note = json.dumps({"utc_ns": then_ns, "monotonic_ns": SystemClock().monotonic_ns()})
    (tmp_path / "state" / "believed-time").write_text(note)
    assert "models        0 removed" in type_in("prune", write(config)).stdout
    assert engine.exists()
