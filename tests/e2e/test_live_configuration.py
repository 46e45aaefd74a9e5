"""Another configuration while it runs: by SIGHUP and by the broker, in effect, refused and rolled back."""

from __future__ import annotations

import contextlib
import copy
import json
import signal
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from edgeguard.alerts.check import faults, schema
from edgeguard.alerts.configured import desired_message
from tests.support.broker import Broker
from tests.support.daemon import DEVICE, SITE, Box, Json, Listener, settings
from tests.support.waiting import wait_for

pytestmark = pytest.mark.e2e
TOPIC = f"edgeguard/v1/{SITE}/{DEVICE}/up/config"


def scene(fps: float = 5) -> Json:
    zones = {"all": {"polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}}
    return {"url": "scene://yard", "analyse_fps": fps, "zones": zones}


def rule(camera: str, name: str | None = None) -> Json:
    return {"kind": "zone_entered", "name": name or f"{camera}-entered", "camera": camera, "zone": "all"}


@pytest.fixture
def config(request: pytest.FixtureRequest, broker: Broker) -> Json:
    made = settings(broker.port, {"one": scene(), "two": scene()}, [rule("one"), rule("two")])
    made["health"]["prove_s"] = getattr(request, "param", 30)
    made["mqtt"]["accept_config"] = True
    made["drill"] = {"enabled": False}
    return made


@pytest.fixture
def box(tmp_path: Path, config: Json) -> Iterator[Box]:
    with Box(tmp_path, config) as box:
        box.start()
        yield box


def wait_for_report(listener: Listener, state: str, timeout_s: float = 60.0, **members: Any) -> Json:
    """The newest report, once it is so."""

    def look() -> Json | None:
        told = [body for topic, body in list(listener.heard) if topic == TOPIC]
        fits = told and told[-1]["state"] == state
        return told[-1] if fits and all(told[-1][key] == value for key, value in members.items()) else None

    try:
        report = wait_for(look, f"config {state} {members}", timeout_s)
    except AssertionError as error:
        told = [body for topic, body in list(listener.heard) if topic == TOPIC]
        raise AssertionError(f"{error}; told were {told}") from None
    assert faults(report, schema("config")) == []
    return report


def reload(box: Box, config: Json) -> None:
    box.configure(config)
    box.signal(signal.SIGHUP)


def send(broker: Broker, config: Json | str) -> str:
    """Returns its id."""
    config_id = str(uuid.uuid4())
    text = config if isinstance(config, str) else yaml.safe_dump(config)
    message = desired_message(
        SITE, DEVICE, text, config_id=config_id, by="fleet", utc_ns=1_795_831_200 * 10**9
    )
    assert faults(message, schema("config_desired")) == []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    topic = f"edgeguard/v1/{SITE}/{DEVICE}/down/config"
    client.publish(topic, json.dumps(message), qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    return config_id


def guarded(config: Json) -> Json:
    """What may be sent of it."""
    return {key: config[key] for key in ("detector", "cameras", "rules")}


def test_a_camera_changes_while_the_others_run_on(listener: Listener, box: Box, config: Json) -> None:
    first = wait_for_report(listener, "applied")
    changed = copy.deepcopy(config)
    changed["cameras"]["two"]["analyse_fps"] = 10
    changed["cameras"]["three"] = scene()
    changed["rules"].append(rule("three"))
    reload(box, changed)
    second = wait_for_report(listener, "applied", origin="file", reason=None)
    wait_for(lambda: box.part("camera/three").get("state") == "ok", "the new camera")
    second = wait_for_report(listener, "applied")
    assert second["sha256"] != first["sha256"]
    assert second["boot_id"] == first["boot_id"], "the process went on"
    del changed["cameras"]["one"], changed["rules"][0]
    reload(box, changed)
    wait_for(lambda: not box.part("camera/one"), "the camera is gone")
    assert wait_for_report(listener, "applied")["boot_id"] == first["boot_id"]
    listener.wait_for_alerts(1, lambda alert: alert["source"] == "three")


def test_a_configuration_with_faults_is_refused_with_all_of_them(
    listener: Listener, box: Box, config: Json
) -> None:
    first = wait_for_report(listener, "applied")
    wrong = copy.deepcopy(config)
    wrong["cameras"]["two"]["fsp"] = 10
    wrong["rules"][0]["zone"] = "al"
    reload(box, wrong)
    refused = wait_for_report(listener, "refused", sha256=first["sha256"])
    assert "fsp" in refused["reason"]
    assert "al" in refused["reason"]
    box.wait_for_part("config", "degraded", "refused")
    reload(box, config)
    wait_for_report(listener, "applied", sha256=first["sha256"])
    box.wait_for_part("config", "ok")


@pytest.mark.parametrize("config", [10], indirect=True, ids="{}s".format)
def test_what_does_not_do_as_well_is_rolled_back(listener: Listener, box: Box, config: Json) -> None:
    first = wait_for_report(listener, "applied")
    worse = copy.deepcopy(config)
    worse["cameras"]["two"]["url"] = "rtsp://127.0.0.1:9/none"
    reload(box, worse)
    wait_for_report(listener, "pending")
    back = wait_for_report(listener, "rolled_back", sha256=first["sha256"], boot_id=first["boot_id"])
    assert "camera/two" in back["reason"]
    box.wait_for_part("camera/two", "ok")


def test_another_section_begins_anew_and_proves_itself(listener: Listener, box: Box, config: Json) -> None:
    first = wait_for_report(listener, "applied")
    changed = copy.deepcopy(config)
    changed["mqtt"]["keepalive_s"] = 30
    reload(box, changed)
    wait_for(lambda: listener.messages("config")[-1]["boot_id"] != first["boot_id"], "a new run", 60)
    second = wait_for_report(listener, "applied")
    assert second["sha256"] != first["sha256"]
    wait_for(
        lambda: listener.messages("health")[-1].get("config_sha256") == second["sha256"], "the same in health"
    )
    assert box.stop() == 0


@pytest.mark.parametrize("config", [10], indirect=True, ids="{}s".format)
def test_a_broker_that_is_not_there_is_rolled_back(listener: Listener, box: Box, config: Json) -> None:
    first = wait_for_report(listener, "applied")
    changed = copy.deepcopy(config)
    changed["mqtt"]["port"] = 9
    reload(box, changed)
    back = wait_for_report(listener, "rolled_back", 90, sha256=first["sha256"])
    assert "broker" in back["reason"]


def test_killed_while_one_is_on_trial_it_comes_back_with_the_one_before(
    listener: Listener, box: Box, config: Json
) -> None:
    first = wait_for_report(listener, "applied")
    worse = copy.deepcopy(config)
    worse["cameras"]["two"]["url"] = "rtsp://127.0.0.1:9/none"
    reload(box, worse)
    wait_for_report(listener, "pending")
    box.kill9()
    box.start()
    back = wait_for_report(listener, "rolled_back", sha256=first["sha256"])
    assert "ended before" in back["reason"]
    box.wait_for_part("camera/two", "ok")
    box.kill9()
    box.start()
    wait_for(lambda: listener.messages("config")[-1]["boot_id"] != back["boot_id"], "a new run")
    wait_for_report(listener, "rolled_back", sha256=first["sha256"])


def test_a_file_that_became_wrong_is_no_reason_to_watch_nothing(
    listener: Listener, box: Box, config: Json
) -> None:
    first = wait_for_report(listener, "applied")
    assert box.stop() == 0
    wrong = copy.deepcopy(config)
    wrong["cameras"]["two"]["fsp"] = 10
    box.configure(wrong)
    box.start()
    refused = wait_for_report(listener, "refused", sha256=first["sha256"])
    assert "fsp" in refused["reason"]
    box.wait_for_part("camera/two", "ok")


def test_one_is_sent_by_the_broker(listener: Listener, box: Box, broker: Broker, config: Json) -> None:
    first = wait_for_report(listener, "applied")
    sent = guarded(config)
    sent["cameras"]["two"]["analyse_fps"] = 10
    config_id = send(broker, sent)
    report = wait_for_report(listener, "applied", origin="broker", config_id=config_id, by="fleet")
    assert report["sha256"] != first["sha256"]
    assert listener.messages(f"result/{config_id}")[0]["ok"] is True
    assert box.stop() == 0
    box.start()
    wait_for(lambda: listener.messages("config")[-1]["boot_id"] != report["boot_id"], "a new run", 60)
    wait_for_report(listener, "applied", origin="broker", sha256=report["sha256"])
    audit = (box.state / "audit.jsonl").read_text()
    assert config_id in audit
    assert "fleet" in audit


def test_what_is_sent_may_not_reach_for_what_is_the_files(
    listener: Listener, box: Box, broker: Broker, config: Json
) -> None:
    first = wait_for_report(listener, "applied")
    sent = guarded(config)
    sent["mqtt"] = {"host": "192.0.2.66"}
    sent["cameras"]["two"]["url"] = "rtsp://porter:secret@192.0.2.66/1"
    sent["cameras"]["one"] |= {"url": "rtsp://192.0.2.66/1", "username": "a", "password_file": "/etc/shadow"}
    config_id = send(broker, sent)
    (result,) = wait_for(lambda: listener.messages(f"result/{config_id}"), "the result")
    assert result["ok"] is False
    assert "mqtt" in result["reason"]
    del sent["mqtt"]
    config_id = send(broker, sent)
    (result,) = wait_for(lambda: listener.messages(f"result/{config_id}"), "the result")
    assert "cameras.two.url" in result["reason"]
    assert "cameras.one.password_file" in result["reason"]
    assert "secret" not in result["reason"]
    assert wait_for_report(listener, "applied")["sha256"] == first["sha256"]


def test_systemd_sees_a_reload_and_no_stop(listener: Listener, config: Json, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        heard: list[str] = []

        def told(line: str) -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.extend(systemd.recv(4096).decode().splitlines())
            return line in heard

        with Box(tmp_path, config, NOTIFY_SOCKET=str(tmp_path / "notify")) as box:
            box.start()
            wait_for(lambda: told("READY=1"), "ready", 60)
            wait_for_report(listener, "applied")
            pid = box.process.pid
            changed = copy.deepcopy(config)
            changed["mqtt"]["keepalive_s"] = 30
            reload(box, changed)
            wait_for(lambda: told("RELOADING=1"), "a reload", 60)
            assert "STOPPING=1" not in heard
            heard.clear()
            wait_for(lambda: told("READY=1"), "ready again", 60)
            assert box.process.pid == pid
            assert box.process.poll() is None
            assert box.stop() == 0
            assert told("STOPPING=1")


@pytest.mark.usefixtures("listener")  # an alert that nobody subscribes to would be another trouble
def test_a_password_of_the_broker_is_waited_for_and_read_again(
    tmp_path: Path, broker: Broker, config: Json
) -> None:
    secret = tmp_path / "password"
    config["mqtt"] |= {"username": "guard", "password_file": str(secret)}
    with Box(tmp_path, config) as box:
        box.start()
        box.wait_for_part("broker", "degraded", "cannot use the secret", 60)
        box.wait_for_part("camera/one", "ok")
        secret.write_text("anything\n")
        box.wait_for_part("broker", "degraded", "chmod 600", 60)
        secret.chmod(0o600)
        box.wait_for_part("broker", "ok", timeout_s=60)
        secret.unlink()
        broker.restart()
        box.wait_for_part("broker", "degraded", "cannot use the secret", 60)
        box.wait_for_part("camera/one", "ok")
        assert box.process.poll() is None
