"""The link beside brokers that say what none may say, and with faults of its own."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from edgeguard.alerts.link import Connected, Disconnected, LinkEvent, Received
from edgeguard.alerts.mqtt import MqttLink
from tests.alerts.test_link import wait_for
from tests.support.alerts import endpoint
from tests.support.rude_broker import RudeBroker, publication

TOPIC = b"edgeguard/v1/a/b/down/ack"
MALFORMED = {
    "an unknown property": b"\x32\x22\x00\x19" + TOPIC + b"\x00\x01\x02\x7f\x00x",
    "an acknowledgement that is too short": b"\x40\x01\x00",
    "an empty answer to the subscription": b"\x90\x02\x00\x01",
    "a reserved packet": b"\xf0\x00",
}


class Faulty:
    """Takes events, and fails where it is told to."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
        self.fails_at: type[LinkEvent] | None = None

    def __call__(self, event: LinkEvent) -> None:
        self.events.put(event)
        if self.fails_at is not None and isinstance(event, self.fails_at):
            self.fails_at = None
            raise RuntimeError("no such thing")


@pytest.fixture
def faulty() -> Faulty:
    return Faulty()


@pytest.fixture
def links() -> Iterator[list[MqttLink]]:
    made: list[MqttLink] = []
    yield made
    for link in made:
        link.close()


def join(broker: RudeBroker, faulty: Faulty, links: list[MqttLink]) -> MqttLink:
    link = MqttLink(endpoint(broker.port), faulty, None, ["edgeguard/v1/a/b/down/#"])
    links.append(link)
    link.start()
    return link


def test_a_topic_that_is_no_text_is_nobodys_and_ends_nothing(faulty: Faulty, links: list[MqttLink]) -> None:
    with RudeBroker(publication(b"\xff\xfe") + publication(TOPIC, b"later")) as broker:
        join(broker, faulty, links)
        first, second = (wait_for(faulty.events, Received) for _ in range(2))
        assert (first.topic, first.body) == ("\N{REPLACEMENT CHARACTER}", b"x")
        assert (second.topic, second.body) == (TOPIC.decode(), b"later")
        assert broker.connections == 1


@pytest.mark.parametrize("words", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_mqtt_costs_a_connection_at_most(
    words: bytes, faulty: Faulty, links: list[MqttLink]
) -> None:
    with RudeBroker(words + publication(TOPIC)) as broker:
        join(broker, faulty, links)
        wait_for(faulty.events, Connected)
        told: LinkEvent = wait_for(faulty.events, (Received, Disconnected))  # type: ignore[arg-type]
        if isinstance(told, Disconnected):
            wait_for(faulty.events, Connected)


def test_a_message_that_cannot_be_taken_ends_nothing(faulty: Faulty, links: list[MqttLink]) -> None:
    faulty.fails_at = Received
    with RudeBroker(publication(TOPIC, b"one") + publication(TOPIC, b"two")) as broker:
        join(broker, faulty, links)
        assert [wait_for(faulty.events, Received).body for _ in range(2)] == [b"one", b"two"]
        assert broker.connections == 1


@pytest.mark.parametrize("where", [Connected, Disconnected])
def test_a_fault_in_the_links_thread_is_a_reason_and_the_connection_is_made_anew(
    where: type[LinkEvent], faulty: Faulty, links: list[MqttLink], caplog: pytest.LogCaptureFixture
) -> None:
    faulty.fails_at = where
    words = b"" if where is Connected else b"\xf0\x00"
    with RudeBroker(words) as broker:
        join(broker, faulty, links)
        wait_for(faulty.events, Connected)
        if where is Connected:
            reason = wait_for(faulty.events, Disconnected).reason
            assert reason == "a fault in the connection: no such thing"
        wait_for(faulty.events, Connected)
        assert broker.connections >= 2
        assert "no such thing" in caplog.text


def test_a_link_that_met_a_fault_ends_when_it_is_closed(faulty: Faulty, links: list[MqttLink]) -> None:
    faulty.fails_at = Connected
    with RudeBroker(b"") as broker:
        link = join(broker, faulty, links)
        wait_for(faulty.events, Connected)
        wait_for(faulty.events, Connected)
        client = link._client
        assert client is not None
        thread = client._thread
        link.close()
        assert thread is not None
        thread.join(10)
        assert not thread.is_alive()
