"""A bridge between a link that hears and the same link that says."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.link import LinkEvent, Subscribed
from edgeguard.alerts.messages import encode
from edgeguard.alerts.topics import Topics
from edgeguard.bridges import FrigateBridge, HomeAssistantBridge
from edgeguard.clock import ManualClock
from edgeguard.runtime.bridging import BridgeLoop
from edgeguard.runtime.channel import Channel
from tests.bridges.told import alert_body, counts, health, status
from tests.support.alerts import UTC_NS, alert

TOPICS = Topics("depot", "gate-1")
BRIDGES: list[Any] = [lambda clock: FrigateBridge(clock, names="{camera}"), HomeAssistantBridge]


class Bench:
    """A loop whose thread is the test's."""

    def __init__(self, make: Any = BRIDGES[0]) -> None:
        self.clock = ManualClock(utc_offset_ns=UTC_NS)
        self.inbox: Channel[LinkEvent] = Channel(1000)
        self.link = FakeLink(self.inbox.put)
        self.loop = BridgeLoop(make(self.clock), self.link, self.inbox, self.clock)
        self.link.start()
        self.settle()

    def settle(self) -> None:
        """Until nothing is left to be answered."""
        self.loop.step(0)
        while len(self.inbox):
            self.loop.step(0)

    def hear(self, topic: str, body: dict[str, Any] | bytes, retained: bool = False) -> None:
        self.link.deliver(topic, body if isinstance(body, bytes) else encode(body), retained=retained)
        self.settle()

    def said(self, topic: str) -> list[str]:
        return [one.body.decode() for one in self.link.publications if one.topic == topic]


def test_what_a_device_tells_is_said_elsewhere() -> None:
    bench = Bench()
    bench.hear(TOPICS.status, status(), retained=True)
    bench.hear(TOPICS.counts("gate"), counts(3), retained=True)
    bench.hear(TOPICS.alert("dock", "loitering"), alert_body(alert()))
    assert bench.said("frigate/available") == ["online"]
    assert bench.said("frigate/gate/person") == ["3"]
    (event,) = bench.said("frigate/events")
    assert json.loads(event)["type"] == "new"


def test_presence_is_retained_and_events_are_not() -> None:
    bench = Bench()
    bench.hear(TOPICS.status, status(), retained=True)
    bench.hear(TOPICS.alert("dock", "loitering"), alert_body(alert()))
    assert {one.topic for one in bench.link.publications if one.retain} == {"frigate/available"}


def test_everything_is_said_anew_to_a_broker_that_comes_back() -> None:
    bench = Bench()
    bench.hear(TOPICS.status, status(), retained=True)
    bench.hear(TOPICS.counts("gate"), counts(3), retained=True)
    bench.link.disconnect("gone")
    bench.settle()
    bench.link.connect()
    bench.settle()
    assert bench.said("frigate/available") == ["online", "online"]
    assert bench.said("frigate/gate/person") == ["3", "3"]


def test_an_event_that_was_not_acknowledged_is_sent_again() -> None:
    bench = Bench()
    bench.link.answer = lambda _: None
    bench.hear(TOPICS.alert("dock", "loitering"), alert_body(alert()))
    bench.link.disconnect("gone")
    bench.settle()
    bench.link.answer = lambda _: 0
    bench.link.connect()
    bench.settle()
    first, second = bench.said("frigate/events")
    assert first == second


def test_time_passes_only_while_there_is_a_connection() -> None:
    bench = Bench()
    bench.hear(TOPICS.status, status())
    bench.clock.advance(61)
    bench.settle()
    assert len(bench.said("frigate/stats")) == 2
    bench.link.disconnect("gone")
    bench.settle()
    bench.clock.advance(61)
    bench.settle()
    assert len(bench.said("frigate/stats")) == 2


def test_the_end_is_said_and_waited_for() -> None:
    bench = Bench()
    bench.hear(TOPICS.status, status())
    bench.hear(TOPICS.alert("dock", "loitering"), alert_body(alert()))
    bench.loop.finish()
    assert [json.loads(event)["type"] for event in bench.said("frigate/events")] == ["new", "end"]
    assert bench.said("frigate/available") == ["online", "stopped"]


def test_an_end_without_a_connection_waits_for_nothing() -> None:
    bench = Bench()
    bench.link.disconnect("gone")
    bench.settle()
    bench.loop.finish()
    assert bench.said("frigate/available") == []


def test_home_assistants_birth_is_heard() -> None:
    bench = Bench(HomeAssistantBridge)
    bench.hear(TOPICS.status, status(), retained=True)
    bench.hear(TOPICS.health, health(), retained=True)
    bench.hear("homeassistant/status", b"online")
    assert len(bench.said("homeassistant/device/edgeguard/depot_gate-1/config")) == 2


def test_a_refused_subscription_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.inbox.put(Subscribed(("edgeguard/v1/+/+/up/#: not authorized",)))
    bench.settle()
    assert "refused the subscription to edgeguard/v1/+/+/up/#: not authorized" in caplog.text


def test_systemd_hears_that_it_is_ready_once_it_hears_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        bench = Bench()
        bench.inbox.put(Subscribed(("edgeguard/v1/+/+/up/#: not authorized",)))
        bench.settle()
        assert "READY=1" not in _heard(systemd)
        bench.inbox.put(Subscribed())
        bench.settle()
        assert {"READY=1", "WATCHDOG=1"} <= _heard(systemd)


def _heard(systemd: socket.socket) -> set[str]:
    heard = set()
    with contextlib.suppress(BlockingIOError):
        while True:
            heard.add(systemd.recv(100).decode())
    return heard


def test_a_refused_publication_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.link.answer = lambda _: 135
    bench.hear(TOPICS.status, status())
    assert "the broker refused frigate/available" in caplog.text


def test_the_bridges_own_fault_with_one_message_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    with monkeypatch.context() as patch:
        patch.setattr(FrigateBridge, "take", lambda *_, **__: 1 / 0)
        bench.hear(TOPICS.status, status())
    assert bench.loop.not_understood == 1
    bench.hear(TOPICS.status, status())
    assert bench.said("frigate/available") == ["online"]


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (TOPICS.status, b"{"),
        (TOPICS.status, b'{"schema": "edgeguard.status.v1"}'),
        ("edgeguard/v1/depot/gate-2/up/status", encode(status())),
        (TOPICS.health, encode({**health(), "at": "2026-02-31T00:00:00.000000Z"})),
        ("edgeguard/v1/depot/gate-1/up/gossip", b"{}"),
    ],
)
def test_what_is_not_understood_is_counted_and_changes_nothing(topic: str, body: bytes) -> None:
    bench = Bench()
    before = len(bench.link.publications)
    bench.hear(topic, body)
    assert bench.loop.not_understood == 1
    assert len(bench.link.publications) == before


TOPIC_NAMES = st.sampled_from(
    [
        TOPICS.status,
        TOPICS.health,
        TOPICS.counts("gate"),
        TOPICS.alert("a", "b"),
        TOPICS.clock,
        "homeassistant/status",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(TOPIC_NAMES, st.binary() | JSON.map(lambda value: json.dumps(value).encode())), max_size=10
    )
)
@pytest.mark.parametrize("make", BRIDGES)
def test_no_bytes_stop_it(make: Any, heard: list[tuple[str, bytes]]) -> None:
    bench = Bench(make)
    for topic, body in heard:
        bench.hear(topic, body)
    bench.hear(TOPICS.status, status())
    bench.hear(TOPICS.health, health())
    assert bench.said("frigate/available") or bench.said("homeassistant/device/edgeguard/depot_gate-1/config")


@given(st.data())
@settings(max_examples=50)
def test_no_message_with_a_spoilt_member_stops_it(data: st.DataObject) -> None:
    """Valid messages with one member replaced by anything."""
    bench = Bench()
    name, body = data.draw(
        st.sampled_from(
            [
                (TOPICS.status, status()),
                (TOPICS.health, health()),
                (TOPICS.counts("gate"), counts(1)),
                (TOPICS.alert("dock", "loitering"), alert_body(alert())),
            ]
        )
    )
    key = data.draw(st.sampled_from(sorted(body)))
    bench.hear(name, json.dumps({**body, key: data.draw(JSON)}).encode())
    bench.hear(TOPICS.alert("dock", "loitering"), alert_body(alert()))
    assert bench.said("frigate/events")
