"""`edgeguard prune` again and again beside a running guard: no alert lacks its picture for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.daemon import EDGEGUARD, Box, Listener, clean_environment, settings
from tests.support.walkers import camera, rules

pytestmark = pytest.mark.e2e


def test_pruning_beside_a_running_guard_disturbs_neither(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    yard = camera(walk.as_uri(), loop=True)
    config = settings(
        broker.port,
        {"yard": yard},
        rules("yard"),
        log={"observations": True},
        evidence={"max_bytes": 10_000_000},
    )
    with Box(tmp_path, config) as box:
        box.start()
        old = tmp_path / "state" / "observations" / "2020-01-01.jsonl"
        listener.wait_for_alerts(1, timeout_s=60)
        old.parent.mkdir(exist_ok=True)
        old.write_text("{}\n")
        command = [*EDGEGUARD, "prune", str(tmp_path / "edgeguard.yaml"), "--json"]
        removed = 0
        while len(listener.alerts) < 5:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=60, env=clean_environment()
            )
            assert ended.returncode == 0, ended.stderr
            removed += sum(one["removed"] for one in json.loads(ended.stdout)["swept"])
        assert box.part("evidence")["state"] == "ok"
        assert box.part("journal")["state"] == "ok"
        assert box.stop() == 0
    assert removed == 1
    assert not old.exists()
    pictures = [alert["evidence"][0]["path"] for alert in listener.alerts if alert["state"] == "opened"]
    assert pictures
    assert all((tmp_path / "state" / "evidence" / path).exists() for path in pictures)
