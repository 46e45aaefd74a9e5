"""`edgeguard doctor` as an installer runs it: a real broker, a real camera, with and without a guard."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from tests.support.broker import Broker
from tests.support.daemon import EDGEGUARD, Box, Json, Listener, clean_environment, settings
from tests.support.rtsp_process import RtspProcess
from tests.support.walkers import MASK, camera, rules

pytestmark = pytest.mark.e2e
MEMBERS = {"check", "about", "verdict", "ok", "said", "cause", "fix", "mended", "took_ms", "figures"}


@pytest.fixture
def rtsp(walk: Path) -> Iterator[RtspProcess]:
    with RtspProcess(walk, "--login", "guard:hunter2") as server:
        yield server


def site(folder: Path, broker: Broker, rtsp: RtspProcess, **login: Any) -> Json:
    secret = folder / "password"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    login = {"username": "guard", "password_file": str(secret), **login}
    yard = camera(rtsp.url, masks=[MASK], **login)
    return settings(broker.port, {"yard": yard}, rules("yard"))


class Report:
    """What `edgeguard doctor … --json` found."""

    def __init__(self, folder: Path, config: Json, *words: str | Path) -> None:
        path = folder / "edgeguard.yaml"
        path.write_text(yaml.safe_dump(config))
        command = [*EDGEGUARD, "doctor", path, "--json", *words]
        self.ended = subprocess.run(
            command, capture_output=True, text=True, timeout=110, env=clean_environment(), cwd=folder
        )
        self.report: Json = json.loads(self.ended.stdout)

    def of(self, check: str, about: str | None = None) -> Json:
        """The one finding of that check."""
        (found,) = [
            one for one in self.report["checks"] if one["check"] == check and about in (None, one["about"])
        ]
        return dict(found)


def test_a_site_that_is_well(tmp_path: Path, broker: Broker, rtsp: RtspProcess) -> None:
    config = site(tmp_path, broker, rtsp)
    found = Report(tmp_path, config, "--snapshots", tmp_path / "pictures", "--fix")
    assert found.ended.returncode == 0, found.ended.stdout
    assert found.report["ok"] is True
    assert found.report["schema"] == "edgeguard.doctor.v1"
    assert all(set(one) == MEMBERS for one in found.report["checks"])
    yard = found.of("camera", "yard")
    assert (yard["verdict"], yard["figures"]["width"]) == ("ok", 320)
    picture = cv2.imread(yard["figures"]["snapshot"])
    assert picture is not None
    assert picture[:30].max() < 12, "the upper fifth is masked"
    assert found.of("broker")["verdict"] == "ok"
    assert found.of("broker_rights")["verdict"] == "warning", "a broker for this box alone may be open"
    assert found.of("permissions", str(tmp_path / "state"))["mended"] == f"made {tmp_path / 'state'}"
    assert (tmp_path / "state").is_dir()


def test_what_is_wrong_is_told_with_cause_and_fix_and_ends_with_1(
    tmp_path: Path, broker: Broker, rtsp: RtspProcess
) -> None:
    config = site(tmp_path, broker, rtsp)
    (tmp_path / "password").write_text("wrong\n")
    (tmp_path / "password").chmod(0o644)
    config["mqtt"]["port"] = 9
    config["microphones"] = {"gate-mic": {"url": "alsa://plughw:77,0"}}
    found = Report(tmp_path, config)
    assert found.ended.returncode == 1
    assert not found.report["ok"]
    for one in found.report["checks"]:
        assert one["verdict"] in ("ok", "skipped") or (one["said"] and one["cause"] and one["fix"])
    assert found.of("permissions", str(tmp_path / "password"))["verdict"] == "fault"
    assert found.of("camera", "yard")["verdict"] == "fault"
    assert found.of("microphone", "gate-mic")["verdict"] == "fault"
    assert found.of("broker")["said"] == "nobody answers at 127.0.0.1:9: Connection refused"
    assert "hunter2" not in found.ended.stdout
    assert "Traceback" not in found.ended.stderr
    (tmp_path / "password").write_text("hunter2\n")
    mended = Report(tmp_path, config, "--fix", "--only", "permissions", "--only", "camera")
    assert mended.of("permissions", str(tmp_path / "password"))["mended"] == "its mode is 0640 now"
    assert mended.of("camera", "yard")["verdict"] == "ok", mended.report


def test_it_looks_while_the_guard_runs_and_takes_nothing_from_it(
    tmp_path: Path, broker: Broker, rtsp: RtspProcess, listener: Listener
) -> None:
    config = site(tmp_path, broker, rtsp)
    with Box(tmp_path, config) as box:
        box.start()
        box.wait_for_part("camera/yard", "ok")
        box.wait_for_part("doctor", "ok")
        since = box.wait_for_part("broker", "ok")["since_utc_ns"]
        found = Report(tmp_path, config)
        assert found.ended.returncode == 0, found.ended.stdout
        assert found.of("camera", "yard")["verdict"] == "ok"
        assert box.part("broker")["since_utc_ns"] == since, "its session was not taken"
        box.wait_for_part("camera/yard", "ok")
        assert box.stop() == 0


def test_a_wrong_configuration_is_a_finding_and_the_box_is_looked_at_all_the_same(
    tmp_path: Path, broker: Broker, rtsp: RtspProcess
) -> None:
    config = site(tmp_path, broker, rtsp)
    config["camras"] = config.pop("cameras")
    found = Report(tmp_path, config)
    assert found.ended.returncode == 1
    assert "camras" in found.of("config")["said"]
    assert found.of("memory")["verdict"] in ("ok", "warning")


def test_a_secret_that_others_can_read_degrades_the_guard_s_own_health(
    tmp_path: Path, broker: Broker, rtsp: RtspProcess
) -> None:
    config = site(tmp_path, broker, rtsp)
    (tmp_path / "password").chmod(0o644)
    with Box(tmp_path, config) as box:
        box.start()
        part = box.wait_for_part("doctor", "degraded", "chmod 600")
        assert part["faults"] == 1
        assert "fix: chmod 600" in box.stderr
        assert box.stop() == 0
