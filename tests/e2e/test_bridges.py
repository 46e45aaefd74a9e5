"""A real daemon, a real broker, and what Frigate's and Home Assistant's users would hear of them."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.bridges.home_assistant import Entities, assert_discoverable
from tests.support.broker import Broker
from tests.support.daemon import EDGEGUARD, Box, clean_environment, settings
from tests.support.waiting import wait_for
from tests.support.walkers import camera, rules

pytestmark = pytest.mark.e2e
UP = "edgeguard/v1/depot/gate-1/up"
CONFIG = "homeassistant/device/edgeguard/depot_gate-1/config"


class Ear:
    """Everything that anybody says, in order, with what was retained first."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, str]] = []
        self.content_types: dict[str, set[str | None]] = {}
        """By the first level of the topic."""
        subscribed = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_message = self._on_message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(20)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.heard.append((message.topic, message.payload.decode()))
        kind = getattr(message.properties, "ContentType", None)
        self.content_types.setdefault(message.topic.split("/")[0], set()).add(kind)

    def on(self, topic: str) -> list[str]:
        return [payload for heard, payload in list(self.heard) if heard == topic]

    def wait_for(self, topic: str, *wanted: str, since: int = 0) -> list[str]:
        """What was said on `topic` after the first `since`, once it is, or holds, the `wanted` one."""

        def look() -> list[str]:
            said = self.on(topic)[since:]
            return said if said and (not wanted or wanted[0] in said) else []

        return wait_for(look, f"{wanted} on {topic}")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class BridgeProcess:
    """`edgeguard bridge …`."""

    def __init__(self, folder: Path, port: int, *command: str) -> None:
        self._log = folder / f"{command[0]}.txt"
        self._command = [*EDGEGUARD, "bridge", *command, "--port", str(port)]
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=clean_environment(), stderr=log)

    def kill9(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(10)

    @property
    def stderr(self) -> str:
        return self._log.read_text()

    def clean_up(self) -> None:
        if self._process.poll() is None:
            self.kill9()


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    ear = Ear(broker.port)
    yield ear
    ear.close()


@pytest.fixture
def box(tmp_path: Path, broker: Broker, walk: Path) -> Iterator[Box]:
    """A device that watches the walkers again and again."""
    config = settings(broker.port, {"yard": camera(walk.as_uri(), loop=True)}, rules("yard"))
    with Box(tmp_path, config) as box:
        yield box


@pytest.fixture
def frigate(tmp_path: Path, broker: Broker) -> Iterator[BridgeProcess]:
    bridge = BridgeProcess(tmp_path, broker.port, "frigate", "--site", "depot", "--device", "gate-1")
    yield bridge
    bridge.clean_up()


@pytest.fixture
def home_assistant(tmp_path: Path, broker: Broker) -> Iterator[BridgeProcess]:
    bridge = BridgeProcess(tmp_path, broker.port, "home-assistant")
    yield bridge
    bridge.clean_up()


def test_frigates_users_hear_what_happens(ear: Ear, box: Box, frigate: BridgeProcess, broker: Broker) -> None:
    box.start()
    ear.wait_for("frigate/available", "online")
    ear.wait_for("frigate/yard/status/detect", "online")
    ear.wait_for("frigate/yard/motion", "1")
    ear.wait_for("frigate/pen/motion", "1")
    wait_for(lambda: len(ear.on("frigate/events")) >= 2, "an object that came and went")
    new, end = (json.loads(said) for said in ear.on("frigate/events")[:2])
    assert (new["type"], end["type"], new["after"]["id"]) == ("new", "end", end["after"]["id"])
    assert (new["after"]["camera"], new["after"]["label"]) == ("yard", "motion")
    assert new["after"]["edgeguard"]["alert_id"] in "".join(ear.on(f"{UP}/alert/yard/{_kind(new)}"))
    wait_for(lambda: len(ear.on("frigate/reviews")) >= 2, "a review")

    broker.restart()
    ear.wait_for("frigate/available", "online", since=len(ear.on("frigate/available")))

    assert box.stop() == 0
    ear.wait_for("frigate/available", "stopped")
    assert ear.on("frigate/yard/motion")[-1] == ear.on("frigate/yard/all")[-1] == "0"
    assert ear.on("frigate/yard/status/detect")[-1] == "offline"
    assert frigate.stop() == 0
    assert "Traceback" not in frigate.stderr
    assert ear.content_types["frigate"] == {None}  # `online` is no JSON


def _kind(message: dict[str, Any]) -> str:
    kind: str = message["after"]["edgeguard"]["kind"]
    return kind


def test_a_bridge_that_dies_is_told_of_and_comes_back(ear: Ear, box: Box, frigate: BridgeProcess) -> None:
    box.start()
    ear.wait_for("frigate/available", "online")
    frigate.kill9()
    ear.wait_for("frigate/available", "offline")
    frigate.start()
    wait_for(lambda: ear.on("frigate/available")[-1] == "online", "the bridge is back")


def test_home_assistant_finds_the_device_and_understands_it(
    ear: Ear, box: Box, home_assistant: BridgeProcess
) -> None:
    box.start()
    message = assert_discoverable(CONFIG, ear.wait_for(CONFIG)[-1])
    assert "camera_yard_problem" in message["components"]
    ear.wait_for(f"{UP}/status")
    wait_for(lambda: any('"motion":1' in said for said in ear.on(f"{UP}/counts/yard")), "somebody is seen")
    wait_for(lambda: any("/alert/" in topic for topic, _ in list(ear.heard)), "an alert")
    wait_for(lambda: json.loads(ear.on(f"{UP}/health")[-1])["state"] == "ok", "all is well")
    entities = Entities(message, now_s=time.time())
    assert entities.available(json.loads(ear.on(f"{UP}/status")[-1])) == "online"
    health = json.loads(ear.on(f"{UP}/health")[-1])
    assert entities.state("health", health) == "ok"
    assert entities.state("camera_yard_problem", health) == entities.state("problem", health) == "OFF"
    assert int(entities.state("outbox_pending", health)) >= 0
    seen = next(json.loads(said) for said in ear.on(f"{UP}/counts/yard") if '"motion":1' in said)
    assert entities.state("camera_yard_objects", seen) == "1"
    alert = next(json.loads(said) for topic, said in ear.heard if "/alert/" in topic)
    event = entities.event("alert", alert)
    assert event is not None
    assert (event["event_type"], event["alert_id"]) == (alert["kind"], alert["alert_id"])

    ear.client.publish("homeassistant/status", "online")
    wait_for(lambda: len(ear.on(CONFIG)) == 2, "announced again")
    assert home_assistant.stop() == 0
    assert "Traceback" not in home_assistant.stderr


def test_a_camera_that_was_taken_away_while_no_bridge_ran_is_taken_back(
    tmp_path: Path, ear: Ear, broker: Broker, stillness: Path, home_assistant: BridgeProcess
) -> None:
    def run(*names: str) -> None:
        folder = tmp_path / str(len(names))
        folder.mkdir()
        cameras = {name: camera(stillness.as_uri(), pace="fast") for name in names}
        with Box(folder, settings(broker.port, cameras, [])) as box:
            box.start("--until-done").wait()

    run("yard", "lane")
    ear.wait_for(CONFIG)
    assert home_assistant.stop() == 0
    run("yard")
    home_assistant.start()
    wait_for(lambda: len(ear.on(CONFIG)) >= 3, "announced and taken back")
    *_, removal, last = (assert_discoverable(CONFIG, said)["components"] for said in ear.on(CONFIG))
    assert removal["camera_lane_problem"] == {"platform": "binary_sensor"}
    assert "camera_lane_problem" not in last
    assert "camera_yard_problem" in last
