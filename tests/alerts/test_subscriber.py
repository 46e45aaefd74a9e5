from __future__ import annotations

import pytest

from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.link import LinkEvent
from edgeguard.alerts.messages import ClockQuality, Message, alert_message, encode, status_message
from edgeguard.alerts.subscriber import Subscriber
from edgeguard.runtime.channel import Channel
from tests.support.alerts import ALERT_TOPIC, IDENTITY, UTC_NS, alert

STATUS = IDENTITY.topics.status


class Ears:
    """A subscriber on a fake link."""

    def __init__(self) -> None:
        inbox: Channel[LinkEvent] = Channel(100)
        self.link = FakeLink(inbox.put)
        self.subscriber = Subscriber(self.link, inbox)
        self.subscriber.start()

    def hear(self, topic: str, body: bytes, **values: bool) -> list[Message]:
        self.link.deliver(topic, body, **values)
        return [told.body for told in self.subscriber.receive(0)]


@pytest.fixture
def ears() -> Ears:
    return Ears()


def wire(revision: int = 1, **values: object) -> bytes:
    one = alert(alert_id="019b0000-0000-7000-8000-000000000001", revision=revision)
    return encode({**alert_message(one, IDENTITY, 1, 2, ClockQuality()), **values})


def test_messages_come_parsed_with_what_they_are(ears: Ears) -> None:
    ears.link.deliver(STATUS, encode(status_message("online", IDENTITY, UTC_NS, 1)), retained=True)
    ears.link.deliver(ALERT_TOPIC, wire())
    told = ears.subscriber.receive(0)
    assert [(one.name, one.topic, one.retained) for one in told] == [
        ("status", STATUS, True),
        ("alert", ALERT_TOPIC, False),
    ]
    assert told[1].body["kind"] == "loitering"


def test_each_revision_comes_once(ears: Ears) -> None:
    assert len(ears.hear(ALERT_TOPIC, wire(1))) == 1
    assert len(ears.hear(ALERT_TOPIC, wire(2))) == 1
    assert ears.hear(ALERT_TOPIC, wire(1, replayed=True)) == []
    assert ears.subscriber.duplicates == 1


def test_status_comes_as_often_as_it_is_told(ears: Ears) -> None:
    body = encode(status_message("online", IDENTITY, UTC_NS, 1))
    assert len(ears.hear(STATUS, body) + ears.hear(STATUS, body)) == 2


@pytest.mark.parametrize(
    ("topic", "body", "words"),
    [
        (ALERT_TOPIC, b"{", "Expecting"),
        (ALERT_TOPIC, wire(device="gate-2"), "not that of its topic"),
        (ALERT_TOPIC, wire(severity="terrible"), "severity is none of"),
        (STATUS, wire(), "not a valid status"),
        ("edgeguard/v1/depot/gate-1/up/status", b"", "Expecting"),
        ("edgeguard/v1/depot/gate-1/up/gossip", b"{}", "unknown topic"),
    ],
)
def test_strange_messages_are_counted_and_passed_over(
    ears: Ears, topic: str, body: bytes, words: str
) -> None:
    assert ears.hear(topic, body) == []
    assert ears.subscriber.refused == 1
    assert words in str(ears.subscriber.last_refusal)
    assert len(ears.hear(ALERT_TOPIC, wire())) == 1


def test_it_knows_whether_it_hears(ears: Ears) -> None:
    assert ears.subscriber.disconnected == "not connected yet"
    ears.subscriber.receive(0)
    assert ears.subscriber.disconnected is None
    ears.link.disconnect("gone")
    ears.subscriber.receive(0)
    assert ears.subscriber.disconnected == "gone"


def test_what_it_remembers_is_bounded(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeguard.alerts.subscriber._REMEMBERED", 2)
    for revision in (1, 2, 3):
        assert ears.hear(ALERT_TOPIC, wire(revision))
    assert ears.hear(ALERT_TOPIC, wire(3)) == []
    assert ears.hear(ALERT_TOPIC, wire(1)), "forgotten, and so told again"
