"""A disk that fills up under the daemon, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from _centre import CollectorProgram

from tests.support.broker import Broker
from tests.support.daemon import Box, Json, Listener, settings
from tests.support.waiting import wait_for
from tests.support.walkers import camera, rules

pytestmark = pytest.mark.e2e
DISK_BYTES = 160 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "state"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            pass
    return filler


def has_picture(alert: Json) -> bool:
    return bool(alert["evidence"])


def test_a_full_disk_costs_pictures_and_no_alert(
    tmp_path: Path, disk: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    yard = camera(walk.as_uri(), pace="fast", loop=True)
    with Box(tmp_path, settings(broker.port, {"yard": yard}, rules("yard", copies=4))) as box:
        filler = fill(disk)
        os.truncate(filler, filler.stat().st_size - (4 << 20))
        box.start()
        without = listener.wait_for_alerts(5, lambda alert: "nearly full" in (alert["evidence_error"] or ""))
        assert not any(map(has_picture, without))
        box.wait_for_part("evidence", "degraded", "nearly full")

        filler.unlink()
        box.wait_for_part("evidence", "ok")
        box.wait_for_part("outbox", "ok")  # it has taken its reserve again
        listener.wait_for_alerts(5, has_picture)

        fill(disk)
        box.wait_for_part("evidence", "degraded", "takes the place of the oldest")
        already = len(listener.alerts)
        later = listener.wait_for_alerts(already + 20)[already:]
        assert any(map(has_picture, later))
        assert box.part("outbox")["lost"] == 0
        assert box.stop() == 0
        numbers = {alert["seq"] for alert in listener.alerts}
        assert numbers == set(range(1, box.committed() + 1))
        assert "Traceback" not in box.stderr


def test_alerts_wait_on_a_full_disk_for_a_collector_that_comes_late(
    tmp_path: Path, disk: Path, broker: Broker, walk: Path
) -> None:
    yard = camera(walk.as_uri(), pace="fast", loop=True)
    config = settings(broker.port, {"yard": yard}, rules("yard", copies=4))
    config["mqtt"]["custody"] = "receipt"
    with Box(tmp_path, config) as box, CollectorProgram(tmp_path, broker.port) as collector:
        box.start()
        box.wait_for_part("evidence", "ok")
        fill(disk)
        box.wait_for_part("evidence", "degraded")
        pending = box.part("outbox")["pending"]
        wait_for(lambda: box.part("outbox").get("pending", 0) >= pending + 50, "alerts wait on the full disk")

        collector.start()
        wait_for(lambda: box.part("outbox").get("delivered", 0) >= pending + 50, "they are collected")
        assert box.part("outbox")["lost"] == 0
        assert box.stop() == 0
        assert collector.stop() == 0
        assert collector.unexplained(pending + 50) == 0
        assert "Traceback" not in box.stderr
