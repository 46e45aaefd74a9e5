"""The link to a RabbitMQ queue, at one real node with the shipped configuration and its definitions."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from _rabbitmq import Cluster, missing

from edgeguard.alerts.link import (
    Acked,
    Connected,
    Disconnected,
    Endpoint,
    LinkEvent,
    Received,
    Subscribed,
    Tls,
)
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.broker.definitions import QUEUE, definitions
from edgeguard.collector.amqp import AmqpLink
from edgeguard.runtime.linking import LinkThread

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
DEVICE, OTHER = "edgeguard/v1/depot/gate-1", "edgeguard/v1/depot/gate-2"
ROLES = {
    "devices": ["depot/gate-1", "depot/gate-2", "depot/lost"],
    "dashboards": ["wall"],
    "operators": ["shift"],
    "collectors": ["centre"],
}
PATIENCE_S = 20.0
Events = queue.SimpleQueue[LinkEvent]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("rabbitmq"), size=1)
    try:
        made.start()
        made.define(json.dumps(definitions(ROLES)))
        yield made
    finally:
        made.stop()


class End:
    """A link and what it told."""

    def __init__(self, make: Callable[[Callable[[LinkEvent], object]], Any]) -> None:
        self.events: Events = queue.SimpleQueue()
        self.link = make(self.events.put)
        self.link.start()

    def wait(self, kind: type) -> Any:
        while not isinstance(event := self.events.get(timeout=PATIENCE_S), kind):
            pass
        return event

    def close(self) -> None:
        self.link.close()
        self.wait(Disconnected)


class Ends:
    """Makes links to the node and closes them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._open: list[End] = []

    def endpoint(self, name: str, port: int, client_id: str | None = None) -> Endpoint:
        issued = self._cluster.authority.client(name, 1)
        tls = Tls(self._cluster.folder / "pki" / "ca.crt", issued.certificate, issued.key)
        client_id = client_id or f"edgeguard-{name.replace('/', '-')}"
        return Endpoint(
            self._cluster.hosts[0], port, client_id, tls=tls, protocol="mqtt311", reconnect_s=(0.1, 0.5)
        )

    def collector(self, name: str = "centre", read: str = QUEUE) -> End:
        where = self.endpoint(name, self._cluster.amqp_port)
        return self._keep(End(lambda notify: LinkThread(AmqpLink(where, notify, read), "amqp")))

    def device(self, name: str, *subscriptions: str, client_id: str | None = None) -> End:
        where = self.endpoint(name, self._cluster.mqtt_port, client_id)
        return self._keep(End(lambda notify: MqttLink(where, notify, subscriptions=subscriptions)))

    def close(self) -> None:
        for end in self._open:
            end.link.close()

    def _keep(self, end: End) -> End:
        self._open.append(end)
        return end


@pytest.fixture
def ends(cluster: Cluster) -> Iterator[Ends]:
    cluster.nodes[0].control("purge_queue", QUEUE)
    made = Ends(cluster)
    yield made
    made.close()


def test_what_devices_tell_is_heard_and_a_receipt_reaches_its_device_alone(ends: Ends) -> None:
    collector = ends.collector()
    collector.wait(Subscribed)
    gate = ends.device("depot/gate-1", f"{DEVICE}/down/#")
    other = ends.device("depot/gate-2", f"{OTHER}/down/#")
    gate.wait(Subscribed)
    other.wait(Subscribed)
    for rest in ("alert/yard/loitering", "clock", "health", "health/past", "result/7", "status"):
        assert gate.link.publish(f"{DEVICE}/up/{rest}", rest.encode()) is not None
        heard = collector.wait(Received)
        assert (heard.topic, heard.body) == (f"{DEVICE}/up/{rest}", rest.encode())
        heard.settle()
    mid = collector.link.publish(f"{DEVICE}/down/receipt", b"{}")
    assert collector.wait(Acked) == Acked(mid, 0, "handed to the broker")
    heard = gate.wait(Received)
    assert (heard.topic, heard.body) == (f"{DEVICE}/down/receipt", b"{}")
    collector.link.publish(f"{OTHER}/down/receipt", b"theirs")
    assert other.wait(Received).body == b"theirs"
    assert gate.events.empty()


def test_what_is_not_settled_comes_again_and_what_is_does_not(ends: Ends) -> None:
    first = ends.collector()
    first.wait(Subscribed)
    gate = ends.device("depot/gate-1")
    gate.wait(Connected)
    for number in range(4):
        gate.link.publish(f"{DEVICE}/up/alert/yard/n{number}", b"{}")
    heard = [first.wait(Received) for _ in range(4)]
    heard[1].settle()
    heard[3].settle()
    first.close()
    second = ends.collector()
    assert [second.wait(Received).topic[-2:] for _ in range(2)] == ["n0", "n2"]
    heard[0].settle()  # too late, by a link that is closed: nothing happens
    gate.link.publish(f"{DEVICE}/up/alert/yard/n4", b"{}")
    assert second.wait(Received).topic[-2:] == "n4"


def test_two_collectors_compete(ends: Ends) -> None:
    both = [ends.collector(), ends.collector()]
    for collector in both:
        collector.wait(Subscribed)
    gate = ends.device("depot/gate-1")
    gate.wait(Connected)
    for number in range(4):
        gate.link.publish(f"{DEVICE}/up/alert/yard/n{number}", b"{}")
    heard = [collector.wait(Received).topic[-2:] for collector in both for _ in range(2)]
    assert sorted(heard) == ["n0", "n1", "n2", "n3"]


def test_a_topic_with_a_dot_is_refused_here(ends: Ends) -> None:
    collector = ends.collector()
    collector.wait(Subscribed)
    collector.link.publish("edgeguard/v1/depot/gate.1/down/receipt", b"{}")
    assert collector.wait(Acked).reason_code == 144


def test_before_and_after_the_connection_nothing_is_taken(ends: Ends) -> None:
    collector = ends.collector()
    collector.wait(Subscribed)
    assert collector.link.publish(f"{DEVICE}/down/receipt", b"{}", retain=True) is None
    collector.close()
    assert collector.link.publish(f"{DEVICE}/down/receipt", b"{}") is None


@pytest.mark.parametrize(
    ("name", "read", "words"),
    [
        ("centre", "none", "NOT_FOUND - no queue 'none'"),
        ("wall", QUEUE, "ACCESS_REFUSED"),
        ("depot/gate-1", QUEUE, "ACCESS_REFUSED"),
        ("stranger", QUEUE, "ACCESS_REFUSED"),
    ],
)
def test_a_refusal_is_told_with_its_reason_and_tried_again(
    ends: Ends, name: str, read: str, words: str
) -> None:
    refused = ends.collector(name, read)
    for _ in range(2):
        assert words in refused.wait(Disconnected).reason


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("depot/gate-1", f"{OTHER}/up/status"),
        ("depot/gate-1", f"{DEVICE}/down/receipt"),
        ("wall", f"{DEVICE}/down/command/restart"),
        ("wall", f"{DEVICE}/up/status"),
        ("shift", f"{DEVICE}/down/receipt"),
    ],
)
def test_who_writes_what_is_not_theirs_is_disconnected(ends: Ends, name: str, topic: str) -> None:
    intruder, witness = ends.device(name), ends.collector()
    witness.wait(Subscribed)
    intruder.wait(Connected)
    intruder.link.publish(topic, b"{}")
    intruder.wait(Disconnected)
    gate = ends.device("depot/gate-2")
    gate.wait(Connected)
    gate.link.publish(f"{OTHER}/up/alert/yard/fence", b"{}")
    assert witness.wait(Received).topic.endswith("fence")


@pytest.mark.parametrize(
    ("name", "topic", "client_id"),
    [
        ("depot/gate-1", f"{OTHER}/down/#", None),
        ("depot/gate-1", "edgeguard/v1/+/+/up/#", None),
        ("depot/gate-1", f"{DEVICE}/down/#", "edgeguard-depot-gate-2"),
        ("wall", f"{DEVICE}/down/#", None),
    ],
    ids=["another's", "everybody's", "as another", "what is said to devices"],
)
def test_who_listens_where_it_may_not_hears_nothing(
    ends: Ends, name: str, topic: str, client_id: str | None
) -> None:
    nosy = ends.device(name, topic, client_id=client_id)
    event = nosy.wait((Subscribed, Disconnected))  # type: ignore[arg-type]
    assert isinstance(event, Disconnected) or event.refused


def test_a_device_that_is_removed_is_disconnected_and_stays_out(cluster: Cluster, ends: Ends) -> None:
    lost = ends.device("depot/lost")
    lost.wait(Connected)
    cluster.nodes[0].control("delete_user", "depot/lost")
    lost.wait(Disconnected)
    reasons = {lost.wait((Connected, Disconnected)) for _ in range(2)}  # type: ignore[arg-type]
    assert {type(reason) for reason in reasons} == {Disconnected}


def test_operators_and_dashboards_do_what_they_may(ends: Ends) -> None:
    gate = ends.device("depot/gate-1", f"{DEVICE}/down/#")
    wall, shift = ends.device("wall", "edgeguard/v1/+/+/up/#"), ends.device("shift")
    for end, kind in ((gate, Subscribed), (wall, Subscribed), (shift, Connected)):
        end.wait(kind)
    gate.link.publish(f"{DEVICE}/up/alert/yard/loitering", b"{}")
    assert wall.wait(Received).topic == f"{DEVICE}/up/alert/yard/loitering"
    wall.link.publish(f"{DEVICE}/down/ack", b"{}")
    assert gate.wait(Received).topic == f"{DEVICE}/down/ack"
    shift.link.publish(f"{DEVICE}/down/command/restart", b"{}")
    assert gate.wait(Received).topic == f"{DEVICE}/down/command/restart"


def test_a_node_that_dies_and_comes_back_is_joined_again(cluster: Cluster, ends: Ends) -> None:
    collector = ends.collector()
    collector.wait(Subscribed)
    gate = ends.device("depot/gate-1")
    gate.wait(Connected)
    gate.link.publish(f"{DEVICE}/up/alert/yard/kept", b"{}")
    gate.wait(Acked)
    collector.wait(Received)
    cluster.nodes[0].kill9()
    assert collector.wait(Disconnected).reason.startswith("the broker: ")
    assert collector.wait(Disconnected).reason.startswith("cannot reach the broker: ")
    cluster.nodes[0].start()
    cluster.nodes[0].wait_until_up()
    collector.wait(Subscribed)
    assert collector.wait(Received).topic.endswith("kept")
