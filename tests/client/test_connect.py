"""The client as a dashboard uses it: against a real broker."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.publish as publish
import pytest

from edgeguard.alerts.messages import ClockQuality, alert_message, encode, status_message
from edgeguard.client import Client, ConnectionChanged, News, PresenceChanged, Told, connect
from tests.conftest import REPOSITORY
from tests.support.alerts import ALERT_TOPIC, IDENTITY, UTC_NS, alert
from tests.support.broker import Broker
from tests.support.waiting import wait_for

PAGE = REPOSITORY / "docs" / "client.md"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as running:
        yield running


class Ear:
    """Keeps what a client told."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._heard: list[News] = []

    def hear(self, wanted: Callable[[News], bool]) -> News:
        """The first news that is wanted; it and what came before it are forgotten."""

        def look() -> list[int]:
            self._heard += self._client.receive(0.1)
            return [place + 1 for place, news in enumerate(self._heard) if wanted(news)]

        end = wait_for(look, "news", 20)[0]
        news = self._heard[end - 1]
        del self._heard[:end]
        return news


def test_it_hears_tells_and_answers(broker: Broker) -> None:
    body = encode(alert_message(alert(), IDENTITY, 1, 0, ClockQuality()))
    status = encode(status_message("online", IDENTITY, UTC_NS, 1))
    with connect("127.0.0.1", broker.port) as client:
        hear = Ear(client).hear
        hear(lambda news: news == ConnectionChanged(None))
        publish.multiple(
            [(IDENTITY.topics.status, status, 1, True), (ALERT_TOPIC, body, 1, False)], port=broker.port
        )
        hear(lambda news: news == PresenceChanged("depot", "gate-1", "online"))
        told = hear(lambda news: isinstance(news, Told) and news.name == "alert")
        assert isinstance(told, Told)
        assert client.acknowledge(told.body, "ada", verdict="true")
        broker.kill9()
        lost = hear(lambda news: isinstance(news, ConnectionChanged))
        assert isinstance(lost, ConnectionChanged)
        assert lost.reason


def test_the_example_on_the_page_works(broker: Broker, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(example.splitlines()) <= 22
    script = tmp_path / "dashboard.py"
    script.write_text(example.replace('"broker.example"', f'"127.0.0.1", {broker.port}'))
    process = subprocess.Popen(
        [sys.executable, "-u", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"
        publish.single(
            IDENTITY.topics.status, encode(status_message("online", IDENTITY, UTC_NS, 1)), 1, port=broker.port
        )
        assert process.stdout.readline() == "depot/gate-1 is online\n"
        publish.single(
            ALERT_TOPIC, encode(alert_message(alert(), IDENTITY, 1, 0, ClockQuality())), 1, port=broker.port
        )
        assert (
            process.stdout.readline() == "warning depot/gate-1: person 7 stayed 12.3 s in yard (limit 10 s)\n"
        )
    finally:
        process.kill()
        process.communicate()
