"""Bridges at the shipped broker: with a certificate and the rights of their role, and with too few."""

from __future__ import annotations

import queue
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeguard.alerts.link import Connected, LinkEvent, Received, Subscribed, Tls
from edgeguard.alerts.messages import encode
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.topics import Topics
from tests.bridges.told import health, status
from tests.support.daemon import EDGEGUARD, clean_environment
from tests.support.site import Site
from tests.support.waiting import wait_for

pytestmark = pytest.mark.e2e
TOPICS = Topics("depot", "gate-1")
CONFIG = "homeassistant/device/edgeguard/depot_gate-1/config"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The shipped broker, at which a device has said that it is there."""
    made = Site(tmp_path)
    with made.broker:
        events, device = join(made, "depot/gate-1")
        wait(events, Connected)
        device.publish(TOPICS.status, encode(status()), retain=True)
        device.publish(TOPICS.health, encode(health()), retain=True)
        yield made
        device.close()


def join(site: Site, name: str, *subscriptions: str) -> tuple[queue.SimpleQueue[LinkEvent], MqttLink]:
    events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    link = MqttLink(
        site.endpoint(name.replace("/", "-"), site.tls(name)), events.put, subscriptions=subscriptions
    )
    link.start()
    return events, link


def wait(events: queue.SimpleQueue[LinkEvent], kind: type) -> Any:
    while not isinstance(event := events.get(timeout=20), kind):
        pass
    return event


class Bridge:
    """`edgeguard bridge …` over mutual TLS, as `user`; leaving the `with` block ends it."""

    def __init__(self, site: Site, user: str, command: str) -> None:
        tls: Tls = site.tls(user)
        self._log = site.folder / f"{command}.txt"
        files = {"--ca-file": tls.ca_file, "--cert-file": tls.cert_file, "--key-file": tls.key_file}
        self._command = [*EDGEGUARD, "bridge", command, "--host", "localhost"]
        self._command += ["--port", str(site.broker.port)]
        self._command += [f"{option}={file}" for option, file in files.items()]

    def __enter__(self) -> Bridge:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, env=clean_environment(), stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self.exit_code = self._process.wait(10)

    @property
    def said(self) -> str:
        return self._log.read_text()


def test_the_role_of_bridges_is_what_they_need(site: Site) -> None:
    events, integration = join(site, "home-assistant", "frigate/#", CONFIG)
    wait(events, Subscribed)
    with Bridge(site, "bridge-1", "frigate") as frigate, Bridge(site, "bridge-1", "home-assistant") as home:
        heard: set[str] = set()
        while not {"frigate/available", "frigate/stats", CONFIG} <= heard:
            heard.add(wait(events, Received).topic)
    integration.close()
    assert (frigate.exit_code, home.exit_code) == (0, 0)
    assert "refused" not in frigate.said.replace("refused 0", "")
    assert "refused" not in home.said.replace("refused 0", "")


def test_who_may_not_speak_there_is_told_so_and_goes_on(site: Site) -> None:
    with Bridge(site, "control-room", "frigate") as bridge:
        wait_for(lambda: "the broker refused frigate/" in bridge.said, "a refusal")
    assert bridge.exit_code == 0
    assert "Traceback" not in bridge.said
