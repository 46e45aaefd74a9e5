"""The client on a fake link: what is news, and what is not."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeguard.alerts.exchange import Outcome, Unavailable, result_message
from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.link import LinkEvent, Subscribed
from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    Message,
    alert_message,
    clock_message,
    encode,
    health_message,
    status_message,
)
from edgeguard.alerts.parse import parse
from edgeguard.client import (
    Client,
    ConnectionChanged,
    Gap,
    GapChanged,
    News,
    PresenceChanged,
    Told,
    ToldUnknown,
)
from edgeguard.clock import ManualClock
from edgeguard.runtime.channel import Channel
from tests.support.alerts import ALERT_TOPIC, IDENTITY, NEXT_RUN, UTC_NS, alert

STATUS = IDENTITY.topics.status
GOSSIP = "edgeguard/v1/depot/gate-1/up/gossip"
REQUEST = "6f1c2d3e-0000-4000-8000-000000000001"


class Ears:
    """A client on a fake link, and a clock that stands."""

    def __init__(self) -> None:
        inbox: Channel[LinkEvent] = Channel(100)
        self.clock = ManualClock()
        self.inbox = inbox
        self.link = FakeLink(inbox.put)
        self.subscriber = Client(self.link, inbox, self.clock)
        self.subscriber.start()
        inbox.put(Subscribed())

    def hear(self, topic: str, body: bytes, **values: bool) -> list[Message]:
        self.link.deliver(topic, body, **values)
        return [news.body for news in self.news() if isinstance(news, Told)]

    def news(self) -> list[News]:
        """What is news besides the connection."""
        return [news for news in self.subscriber.receive(0) if not isinstance(news, ConnectionChanged)]

    def later(self, seconds: float) -> list[News]:
        self.clock.advance(seconds)
        return self.news()

    def gaps(self, seconds: float) -> list[News]:
        return [news for news in self.later(seconds) if isinstance(news, GapChanged)]


@pytest.fixture
def ears() -> Ears:
    return Ears()


def wire(revision: int = 1, seq: int = 1, identity: Identity = IDENTITY, **values: object) -> bytes:
    one = alert(alert_id="019b0000-0000-7000-8000-000000000001", revision=revision)
    return encode({**alert_message(one, identity, seq, 2, ClockQuality()), **values})


def status(state: str = "online", identity: Identity = IDENTITY, seq_high: int | None = 0) -> bytes:
    return encode(status_message(state, identity, UTC_NS, seq_high))


def test_messages_come_parsed_with_what_they_are(ears: Ears) -> None:
    ears.link.deliver(STATUS, status(), retained=True)
    ears.link.deliver(ALERT_TOPIC, wire())
    told = [news for news in ears.news() if isinstance(news, Told)]
    assert [(one.name, one.topic, one.retained) for one in told] == [
        ("status", STATUS, True),
        ("alert", ALERT_TOPIC, False),
    ]
    assert told[1].body["kind"] == "loitering"


def test_every_topic_of_the_contract_is_told(ears: Ears) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "mqtt.md").read_text("utf-8")
    blocks = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    examples = {body["schema"].split(".")[1]: body for body in blocks}
    topics = re.findall(r"^\| `(edgeguard/v1/<site>/<device>/up/[^`]+)`", page, re.MULTILINE)
    assert len(topics) >= 9
    for topic in topics:
        name = topic.split("/")[5]
        for level, word in {"id": REQUEST, **examples[name]}.items():
            topic = topic.replace(f"<{level}>", str(word))
        ears.link.deliver(topic, encode(examples[name]))
        assert [news.name for news in ears.news() if isinstance(news, Told)] == [name], topic
        assert f"`{name}`" in inspect.getsource(Told), "what it is called is on its card"


def test_each_revision_comes_once_and_none_after_a_newer_one(ears: Ears) -> None:
    assert len(ears.hear(ALERT_TOPIC, wire(1, 1))) == 1
    assert len(ears.hear(ALERT_TOPIC, wire(3, 3))) == 1
    assert ears.hear(ALERT_TOPIC, wire(1, 1, replayed=True)) == []
    assert ears.hear(ALERT_TOPIC, wire(2, 2)) == [], "it came late, and revision 3 is the truth"
    assert ears.subscriber.duplicates == 2


def test_status_comes_as_often_as_it_is_told(ears: Ears) -> None:
    assert len(ears.hear(STATUS, status()) + ears.hear(STATUS, status())) == 2


def test_the_same_alert_id_of_two_devices_is_two_alerts(ears: Ears) -> None:
    other = replace(IDENTITY, device="gate-2")
    assert ears.hear(ALERT_TOPIC, wire())
    assert ears.hear(other.topics.alert("dock", "loitering"), wire(identity=other))


@pytest.mark.parametrize(
    ("topic", "body", "words"),
    [
        (ALERT_TOPIC, b"{", "Expecting"),
        (ALERT_TOPIC, wire(device="gate-2"), "not that of its topic"),
        (ALERT_TOPIC, wire(severity="terrible"), "severity is none of"),
        (STATUS, wire(), "not a valid status"),
        ("edgeguard/v1/depot/gate-1/up/status", b"", "Expecting"),
        (GOSSIP, b"{}", "unknown topic"),
        (GOSSIP, b"{", "Expecting"),
        (GOSSIP, wire(device="gate-2"), "not that of its topic"),
        ("edgeguard/v1/depot/up/gossip", wire(), "unknown topic"),
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
    assert ears.subscriber.receive(0) == [ConnectionChanged(None)]
    ears.link.disconnect("gone")
    assert ears.subscriber.receive(0) == [ConnectionChanged("gone")]
    assert ears.subscriber.disconnected == "gone"


def test_a_refused_subscription_is_no_connection(ears: Ears) -> None:
    ears.inbox.put(Subscribed(("edgeguard/#: Not authorized",)))
    ears.news()
    assert ears.subscriber.disconnected == "the broker refused to subscribe edgeguard/#: Not authorized"


def test_what_it_remembers_is_bounded(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeguard.client.client._REMEMBERED", 2)
    ids = [f"019b0000-0000-7000-8000-00000000000{digit}" for digit in (1, 2, 3)]
    for seq, alert_id in enumerate(ids, 1):
        assert ears.hear(ALERT_TOPIC, wire(seq=seq, alert_id=alert_id))
    assert ears.hear(ALERT_TOPIC, wire(seq=3, alert_id=ids[2])) == []
    assert ears.hear(ALERT_TOPIC, wire(seq=1, alert_id=ids[0])), "forgotten, and so told again"


def test_a_number_that_stays_away_is_a_gap_until_it_comes(ears: Ears) -> None:
    ears.hear(STATUS, status())
    ears.hear(ALERT_TOPIC, wire(1, 1))
    ears.hear(ALERT_TOPIC, wire(4, 4))
    assert ears.gaps(29) == []
    assert ears.gaps(5) == [GapChanged("depot", "gate-1", Gap(2, 3, "missing"))]
    assert ears.subscriber.devices.missing("depot", "gate-1") == [(2, 3)]
    ears.hear(ALERT_TOPIC, wire(2, 2))
    assert ears.gaps(1) == [GapChanged("depot", "gate-1", Gap(2, 2, "filled"))]
    answer = Outcome(ok=True, replayed=0, unavailable=[Unavailable(3, 3, "shed")])
    said = result_message(IDENTITY, REQUEST, "replay", answer, UTC_NS)
    ears.link.deliver(IDENTITY.topics.result(REQUEST), encode(said))
    ears.clock.advance(1)
    assert GapChanged("depot", "gate-1", Gap(3, 3, "shed")) in ears.news()
    assert ears.subscriber.devices.missing("depot", "gate-1") == []


@pytest.mark.parametrize("topic", [GOSSIP, f"{GOSSIP}/yard", f"{IDENTITY.topics.health}/tomorrow"])
def test_what_only_a_later_version_knows_is_told_as_that_and_is_no_gap(ears: Ears, topic: str) -> None:
    ears.hear(STATUS, status())
    ears.hear(ALERT_TOPIC, wire(1, 1))
    ears.later(31)
    body = {"site": "depot", "device": "gate-1", "boot_id": IDENTITY.boot_id, "seq": 2}
    body.update(schema="edgeguard.gossip.v7", seq_high="many", unavailable=7, step_ms=None)
    ears.link.deliver(topic, encode(body))
    assert ears.news() == [PresenceChanged("depot", "gate-1", "online"), ToldUnknown(topic, body, False)]
    ears.hear(ALERT_TOPIC, wire(3, 3))
    assert ears.gaps(34) == []
    assert ears.subscriber.refused == 0


def test_what_the_device_gave_out_and_did_not_send_is_missing(ears: Ears) -> None:
    ears.hear(STATUS, status(seq_high=0))
    health = health_message(HealthReport("ok", {}), IDENTITY, UTC_NS, 2, ClockQuality())
    ears.hear(IDENTITY.topics.health, encode(health))
    assert ears.gaps(34) == [GapChanged("depot", "gate-1", Gap(1, 2, "missing"))]


def test_another_box_under_the_old_name_counts_from_the_start(ears: Ears) -> None:
    ears.hear(STATUS, status(seq_high=499))
    ears.hear(ALERT_TOPIC, wire(1, 500))
    ears.hear(STATUS, status(identity=NEXT_RUN, seq_high=0))
    ears.hear(ALERT_TOPIC, wire(2, 2, NEXT_RUN))
    assert ears.gaps(34) == [GapChanged("depot", "gate-1", Gap(1, 1, "missing"))]


def test_presence_is_told_when_it_changes(ears: Ears) -> None:
    def state(body: bytes) -> list[str]:
        ears.link.deliver(STATUS, body)
        return [news.state for news in ears.news() if isinstance(news, PresenceChanged)]

    assert state(status()) == ["online"]
    assert state(status()) == []
    assert state(status("stopped")) == ["stopped"]
    assert state(status(identity=NEXT_RUN)) == ["online"]
    assert state(status("offline", NEXT_RUN, None)) == ["offline"]


def test_an_old_will_is_no_news_at_all(ears: Ears) -> None:
    ears.hear(STATUS, status(identity=NEXT_RUN))
    ears.link.deliver(STATUS, status("offline", seq_high=None))
    assert ears.news() == []
    assert ears.subscriber.devices.presence("depot", "gate-1") == "online"


def test_silence_is_unknown_and_a_word_ends_it(ears: Ears) -> None:
    ears.hear(STATUS, status())
    assert ears.later(29) == []
    assert ears.later(2) == [PresenceChanged("depot", "gate-1", "unknown")]
    ears.link.deliver(ALERT_TOPIC, wire())
    assert ears.news()[0] == PresenceChanged("depot", "gate-1", "online")


def test_while_we_are_deaf_nobody_is_silent(ears: Ears) -> None:
    ears.hear(STATUS, status())
    ears.link.disconnect("gone")
    assert ears.later(600) == []
    ears.link.connect()
    ears.inbox.put(Subscribed())
    assert ears.news() == []
    assert ears.later(31) == [PresenceChanged("depot", "gate-1", "unknown")]


def test_times_are_corrected_by_later_steps_of_the_same_run(ears: Ears) -> None:
    (early,) = ears.hear(ALERT_TOPIC, wire(1, 1))
    for seq, step_ms in ((2, 3_600_000.0), (4, -500.0)):
        step = clock_message(step_ms, IDENTITY, seq, UTC_NS, ClockQuality())
        ears.hear(IDENTITY.topics.clock, encode(step))
    (late,) = ears.hear(ALERT_TOPIC, wire(2, 3))
    assert ears.subscriber.time_ns(early, "opened_at") == UTC_NS + 3_599_500 * 10**6
    assert ears.subscriber.time_ns(late, "opened_at") == UTC_NS - 500 * 10**6
    ears.hear(ALERT_TOPIC, wire(3, 9, NEXT_RUN))
    assert ears.subscriber.time_ns({**late, "boot_id": NEXT_RUN.boot_id}, "opened_at") == UTC_NS


def test_acknowledging_and_asking_again_fit_their_schemas(ears: Ears) -> None:
    (seen,) = ears.hear(ALERT_TOPIC, wire())
    ack_id = ears.subscriber.acknowledge(seen, "ada", verdict="false_alarm", note="a cat")
    command_id = ears.subscriber.ask_again("depot", "gate-1", 3, 9, "ada")
    ack, command = ears.link.publications[-2:]
    assert (ack.topic, command.topic) == (IDENTITY.topics.ack, IDENTITY.topics.command("replay"))
    assert parse(ack.body, "ack")["ack_id"] == ack_id
    asked = parse(command.body, "command")
    assert (asked["command_id"], asked["from_seq"], asked["to_seq"]) == (command_id, 3, 9)
    ears.link.disconnect("gone")
    assert ears.subscriber.acknowledge(seen, "ada") is None


def test_devices_are_bounded(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeguard.client.devices._MOST_DEVICES", 2)
    for number in range(4):
        one = replace(IDENTITY, device=f"gate-{number}")
        ears.hear(one.topics.status, status(identity=one))
    assert list(ears.subscriber.devices) == [("depot", "gate-2"), ("depot", "gate-3")]


def whole_messages() -> list[tuple[str, bytes]]:
    topics, quality = IDENTITY.topics, ClockQuality()
    answer = Outcome(ok=True, replayed=0, unavailable=[Unavailable(3, 3, "shed")])
    return [
        (ALERT_TOPIC, wire()),
        (topics.status, status()),
        (topics.clock, encode(clock_message(1.0, IDENTITY, 2, UTC_NS, quality))),
        (topics.health, encode(health_message(HealthReport("ok", {}), IDENTITY, UTC_NS, 2, quality))),
        (GOSSIP, wire(2, 2)),
        (topics.result(REQUEST), encode(result_message(IDENTITY, REQUEST, "replay", answer, UTC_NS))),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def strange(draw: st.DrawFn) -> tuple[str, bytes]:
    """A message with members replaced by anything; or bytes that are none."""
    topic, whole = draw(st.sampled_from(whole_messages()))
    if draw(st.booleans()):
        return topic, draw(st.binary(max_size=60))
    body: dict[str, Any] = json.loads(whole)
    for key in draw(st.sets(st.sampled_from(sorted(body)), max_size=3)):
        body[key] = draw(JSON | st.integers(1, 10**19))
    return topic, json.dumps(body).encode()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(strange(), st.booleans()), max_size=5), st.integers(0, 100))
def test_nothing_that_comes_stops_it(
    ears: Ears, told: list[tuple[tuple[str, bytes], bool]], seconds: int
) -> None:
    before = ears.subscriber.refused
    for (topic, body), retained in told:
        ears.link.deliver(topic, body, retained=retained)
    heard = [news for news in ears.later(seconds) if isinstance(news, Told | ToldUnknown)]
    assert len(heard) + ears.subscriber.refused - before <= len(told)
    for news in heard:
        if isinstance(news, Told) and news.body.get("at"):
            ears.subscriber.time_ns(news.body)
