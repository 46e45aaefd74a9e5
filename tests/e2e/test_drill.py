"""Drills of a real service at a real broker, from the picture that is drawn to the subscriber."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import Broker
from tests.support.daemon import EDGEGUARD, Box, Json, Listener, clean_environment, settings
from tests.support.site import Site
from tests.support.waiting import wait_for
from tests.support.walkers import camera, rules

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PLACES = ("captured", "inferred", "noticed", "decided", "committed", "published")


def make_box(folder: Path, broker: Broker, walk: Path, **other: Any) -> Box:
    cameras = {"yard": {**camera(walk.as_uri()), "loop": True, "pace": "realtime"}}
    return Box(folder, settings(broker.port, cameras, rules("yard"), **other))


def hold(box: Box, *options: str) -> tuple[int, Json]:
    """Exit code and answer of `edgeguard drill`."""
    command = [*EDGEGUARD, "drill", "edgeguard.yaml", "--json", *options]
    done = subprocess.run(
        command, cwd=box.folder, env=clean_environment(), capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {"reason": done.stderr}


def of_drills(alerts: list[Json]) -> list[Json]:
    return [alert for alert in alerts if alert["drill"]]


def test_what_is_seen_arrives_and_disturbs_nothing(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    with make_box(tmp_path, broker, walk, log={"observations": True}) as box:
        box.start()
        box.wait_for_part("camera/yard", "ok")
        code, answer = hold(box)
        assert (code, answer["ok"], answer["reason"]) == (0, True, None)
        (act,) = answer["acts"]
        assert (act["act"], act["model"]) == ("intrusion", "motion-mog2 (opencv)")
        assert set(answer["left_out"]) == {"noise", "call"}
        times = [act["after_ms"][place] for place in PLACES]
        assert times[0] == 0
        assert times == sorted(times)
        assert act["after_ms"]["received"] >= times[-1]
        part = box.wait_for_part("drill", "ok")
        assert (part["passed"], part["missed"]) == (1, 0)
        assert 5 < part["took_s"] < 60

        listener.wait_for_alerts(8, lambda alert: alert["source"] == "yard")
        drills = of_drills(listener.alerts)
        assert act["alert_id"] in {alert["alert_id"] for alert in drills}
        assert {alert["source"] for alert in drills} == {"drill"}
        assert {alert["severity"] for alert in drills} == {"info"}
        assert all(alert["summary"].startswith("drill: ") for alert in drills)
        assert all(alert["evidence"] for alert in drills)
        assert {alert["source"] for alert in listener.alerts if not alert["drill"]} == {"yard"}
        assert not [topic for topic, _ in listener.heard if "/up/counts/drill" in topic]
        assert box.stop() == 0
    assert "drill" not in "".join(path.read_text() for path in box.state.glob("observations/*.jsonl"))
    assert "drill" not in "".join(path.read_text() for path in box.state.glob("coverage/*.jsonl"))


@pytest.mark.skipif(find_spec("sherpa_onnx") is None, reason="sherpa-onnx is not installed")
def test_what_is_said_arrives_and_is_no_other_rules(
    tmp_path: Path, broker: Broker, listener: Listener
) -> None:
    """With the model that comes along: `help me`, on a site without cameras, where any call is an alarm."""
    microphones = {"hall": {"url": "scene://dock", "sounds": False}}
    anybody = {"kind": "intent", "name": "anybody", "severity": "alarm"}
    with Box(tmp_path, settings(broker.port, {}, [anybody], microphones=microphones)) as box:
        box.start()
        box.wait_for_part("hearing", "ok")
        code, answer = hold(box)
        if code and "the processor is short" in answer["reason"]:
            pytest.skip("this machine is too busy to hear")
        assert (code, answer["reason"]) == (0, None)
        (act,) = answer["acts"]
        assert (act["act"], act["model"]) == ("call", "phrases-en (sherpa-onnx)")
        assert set(answer["left_out"]) == {"intrusion", "noise"}
        assert {(alert["rule"], alert["source"]) for alert in listener.alerts if alert["drill"]} == {
            ("drill-call", "drill-mic")
        }
        assert [alert for alert in listener.alerts if alert["rule"] == "anybody"] == []


def test_while_the_broker_is_away_it_is_missed_and_said_so_until_one_passes(
    tmp_path: Path, broker: Broker, walk: Path
) -> None:
    with make_box(tmp_path, broker, walk) as box:
        box.start()
        box.wait_for_part("camera/yard", "ok")
        broker.stop()
        box.wait_for_part("broker", "degraded")
        code, answer = hold(box, "--timeout", "20")
        assert code == 1
        assert answer["acts"][0]["stopped_at"] == "published"
        assert answer["reason"].startswith("intrusion: its alert was not sent (")
        assert "committed" in answer["acts"][0]["after_ms"]
        box.wait_for_part("drill", "degraded", "its alert was not sent")
        broker.start()
        with Listener(broker.port) as listener:
            (missed,) = listener.wait_for_alerts(1, lambda alert: alert["kind"] == "drill_missed")
            assert (missed["drill"], missed["severity"], missed["rule"]) == (False, "alarm", "drill-missed")
            box.wait_for_part("broker", "ok")
            code, answer = hold(box)
            assert (code, answer["reason"]) == (0, None)
            box.wait_for_part("drill", "ok")
            listener.wait_for_alerts(
                1, lambda alert: (alert["kind"], alert["state"]) == ("drill_missed", "closed")
            )


def test_a_broken_detector_is_named(tmp_path: Path, broker: Broker, listener: Listener, walk: Path) -> None:
    detector = {"model": "yolox-nano-416", "fallback": "none"}
    with make_box(tmp_path, broker, walk, detector=detector) as box:
        box.start()
        box.wait_for_part("detector", "degraded", "sees nothing")
        code, answer = hold(box, "--timeout", "20")
        assert code == 1
        (act,) = answer["acts"]
        assert (act["stopped_at"], list(act["after_ms"])) == ("inferred", ["captured"])
        assert "no detector looked at its pictures (sees nothing: " in answer["reason"]
        part = box.wait_for_part("drill", "degraded", "no detector looked at its pictures")
        assert part["code"] == "not_inferred"
        (missed,) = listener.wait_for_alerts(1, lambda alert: alert["kind"] == "drill_missed")
        assert "no detector looked at its pictures" in missed["summary"]


def test_without_a_service_nothing_is_held(tmp_path: Path, broker: Broker, walk: Path) -> None:
    box = make_box(tmp_path, broker, walk)
    box.state.mkdir()
    code, answer = hold(box)
    assert code == 1
    assert "the service does not answer" in answer["reason"]
    assert not (box.state / "drill" / "request.json").exists()


def test_whoever_may_not_listen_is_told(tmp_path: Path, walk: Path) -> None:
    """mosquitto takes a subscription without right, and gives nothing on it."""
    acl = tmp_path / "acl"
    acl.write_text("topic write edgeguard/#\ntopic read edgeguard/v1/+/+/down/#\nuser wall\ntopic read #\n")
    secrets = tmp_path / "passwords"
    secrets.write_text("wall:right\n")
    subprocess.run(["mosquitto_passwd", "-U", secrets], check=True)
    options = f"allow_anonymous true\nacl_file {acl}\npassword_file {secrets}"
    with Broker(tmp_path, options) as broker, make_box(tmp_path, broker, walk) as box:
        box.start()
        box.wait_for_part("camera/yard", "ok")
        code, answer = hold(box, "--timeout", "20")
        assert code == 1
        assert answer["acts"][0]["stopped_at"] in ("received", "acknowledged")
        assert wait_for(lambda: box.part("drill").get("state") == "degraded", "health says so")


@pytest.mark.parametrize("user", ["depot/gate-1", "drill-1"])
def test_at_the_shipped_broker_the_device_or_a_user_of_that_role_listens(
    tmp_path: Path, walk: Path, user: str
) -> None:
    """Certificates are the login there, and the access list is the shipped one."""
    site = Site(tmp_path)
    device, listens = site.tls("depot/gate-1"), site.tls(user)
    cameras = {"yard": {**camera(walk.as_uri()), "loop": True, "pace": "realtime"}}
    config = settings(site.broker.port, cameras, rules("yard"))
    files = {"ca_file": device.ca_file, "cert_file": device.cert_file, "key_file": device.key_file}
    config["mqtt"] |= {"host": "localhost", "tls": {"enabled": True, **as_text(files)}}
    if user == "drill-1":
        config["drill"] = as_text({"cert_file": listens.cert_file, "key_file": listens.key_file})
    with site.broker, Box(tmp_path, config) as box:
        box.start()
        box.wait_for_part("camera/yard", "ok")
        code, answer = hold(box)
        assert (code, answer["reason"]) == (0, None)


def as_text(files: Mapping[str, Path | None]) -> Json:
    return {name: str(path) for name, path in files.items()}
