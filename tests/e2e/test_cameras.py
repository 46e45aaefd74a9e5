"""Cameras that live, die, come back, refuse us or are not there."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeguard.synth.sound import SMOKE_ALARM
from tests.support.broker import Broker
from tests.support.daemon import Box, Listener, settings
from tests.support.rtsp_process import RtspProcess
from tests.support.waiting import wait_for
from tests.support.walkers import SECONDS, camera, make_walk, rules

pytestmark = pytest.mark.e2e
RATE_HZ = 48_000
STAGES = (
    *("arrived_ns", "infer_start_ns", "infer_end_ns", "ruled_ns"),
    *("decided_ns", "committed_ns", "published_ns"),
)


@pytest.fixture
def rtsp(walk: Path) -> Iterator[RtspProcess]:
    with RtspProcess(walk) as server:
        yield server


def write_alarm(path: Path) -> Path:
    """A smoke alarm that sounds as long as the walk lasts."""
    sound = SMOKE_ALARM.make(np.random.default_rng(1), SECONDS, RATE_HZ)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(sound, -1, 1) * 32_000).astype("<i2").tobytes())
    return path


def make_box(folder: Path, broker: Broker, cameras: dict[str, Any]) -> Box:
    wanted = [rule for name in cameras for rule in rules(name)]
    return Box(folder, settings(broker.port, cameras, wanted))


def test_a_living_camera_with_sound_raises_alerts_with_the_times_of_their_way(
    tmp_path: Path, mirror: Path, broker: Broker, listener: Listener
) -> None:
    clip = make_walk(tmp_path / "alarm.mp4", sound=write_alarm(tmp_path / "alarm.wav"))
    with RtspProcess(clip) as rtsp:
        config = settings(
            broker.port,
            {"yard": camera(rtsp.url)},
            [*rules("yard"), {"kind": "sound", "name": "fire", "tags": ["smoke_alarm"]}],
            microphones={"yard-mic": {"url": rtsp.url, "camera": "yard"}},
            models={"dir": "models", "mirrors": [str(mirror)]},
        )
        with Box(tmp_path, config) as box:
            box.start()
            seen = listener.wait_for_alerts(1, lambda alert: alert["source"] == "yard")
            heard = listener.wait_for_alerts(1, lambda alert: alert["source"] == "yard-mic")
            for source in ("camera/yard", "microphone/yard-mic"):
                assert box.wait_for_part(source, "ok")["rate_per_s"] > 1
            assert box.stop() == 0
    assert heard[0]["label"] == "smoke_alarm"
    assert heard[0]["evidence"] or heard[0]["evidence_error"], (
        "of the camera beside, if it gave a picture yet"
    )
    for alert in seen:
        assert alert["media_ns"] is None
        assert len(alert["evidence"]) == 1
        times = [alert["stages"][stage] for stage in STAGES]
        assert None not in times
        assert times == sorted(times)


def test_a_camera_that_dies_is_told_and_comes_back_by_itself(
    tmp_path: Path, broker: Broker, listener: Listener, rtsp: RtspProcess
) -> None:
    cameras = {"yard": camera(rtsp.url), "lane": camera("scene://yard?width=160&height=90")}
    with make_box(tmp_path, broker, cameras) as box:
        box.start()
        listener.wait_for_alerts(1, lambda alert: alert["source"] == "yard")
        rtsp.kill9()
        assert box.wait_for_part("camera/yard", "degraded")["reason"]
        wait_for(lambda: listener.messages("health")[-1]["state"] == "degraded", "health tells it")
        box.wait_for_part("camera/lane", "ok")
        rtsp.start()
        box.wait_for_part("camera/yard", "ok")
        already = len(listener.alerts)
        listener.wait_for_alerts(already + 1, lambda alert: alert["source"] == "yard")
        assert box.stop() == 0


def test_a_camera_that_refuses_the_login_says_so_and_the_right_login_sees(
    tmp_path: Path, broker: Broker, walk: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    login = {"username": "guard", "password_file": str(secret)}
    with RtspProcess(walk, "--login", "guard:hunter2") as rtsp:
        cameras = {"yard": camera(rtsp.url, **login), "lane": camera(rtsp.url)}
        with make_box(tmp_path, broker, cameras) as box:
            box.start()
            box.wait_for_part("camera/lane", "degraded", "refused the login")
            box.wait_for_part("camera/yard", "ok")
            assert box.stop() == 0
            assert "hunter2" not in box.stderr


def test_a_file_that_is_not_there_is_told(tmp_path: Path, broker: Broker) -> None:
    with make_box(tmp_path, broker, {"yard": camera("file:///nowhere/walk.mp4")}) as box:
        box.start()
        box.wait_for_part("camera/yard", "degraded", "walk.mp4")
        assert box.stop() == 0
