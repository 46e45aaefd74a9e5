"""Publisher, outbox, link and subscriber together, against real brokers that die."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeguard.alerts.delivery import Delivery
from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.link import Acked, Endpoint, LinkEvent, Will
from edgeguard.alerts.messages import HealthReport, Identity, encode, status_message
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.publisher import Input, Publisher
from edgeguard.alerts.topics import up_filter
from edgeguard.client import Client, Told, open_client
from edgeguard.clock import SystemClock
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.types import Alert
from tests.alerts.strict import assert_valid
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS, endpoint, moment
from tests.support.broker import Broker, free_port


def until(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


class Device:
    """A publisher on its own thread."""

    def __init__(
        self, folder: Path, where: Endpoint, identity: Identity = IDENTITY, custody: str = "puback"
    ) -> None:
        self.acked: dict[int, int] = {}
        self._inbox: Channel[Input] = Channel(10_000, WhenFull.WAIT)
        will = Will(identity.topics.status, encode(status_message("offline", identity)), delay_s=0)
        clock = SystemClock()
        self.publisher = Publisher(
            self._inbox,
            lambda: Outbox(folder / "outbox.db", clock, Ledger(identity.boot_id, clock), ballast_bytes=0),
            MqttLink(where, self._notify, will, [identity.topics.down_filter]),
            identity,
            clock,
            custody=custody,
            confirm_timeout_s=2 if custody == "puback" else 0.5,
            retry_s=0.05,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tell(self, *values: Input) -> None:
        for value in values:
            self._inbox.put(value)

    @property
    def delivery(self) -> Delivery:
        return self.publisher.delivery

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _notify(self, event: LinkEvent) -> None:
        if isinstance(event, Acked):
            self.acked[event.reason_code] = self.acked.get(event.reason_code, 0) + 1
        self._inbox.put(event)

    def _run(self) -> None:
        self.publisher.start()
        while not self._stop.is_set():
            self.publisher.run_once(0.05)
        self.publisher.stop(2)


class Consumer:
    """A subscriber that keeps what it was told."""

    def __init__(self, where: Endpoint) -> None:
        self.subscriber: Client = open_client(where, up_filter())
        self.subscriber.start()
        self.told: list[Told] = []

    def bodies(self, name: str) -> list[dict[str, Any]]:
        self.told += [news for news in self.subscriber.receive(0.01) if isinstance(news, Told)]
        return [told.body for told in self.told if told.name == name]

    def ids(self) -> set[str]:
        return {body["alert_id"] for body in self.bodies("alert")}

    def wait_until_connected(self) -> None:
        until(lambda: self.bodies("status") is not None and self.subscriber.disconnected is None)


@pytest.fixture
def open_device(tmp_path: Path) -> Iterator[Callable[..., Device]]:
    devices = []

    def make(where: Endpoint, identity: Identity = IDENTITY, custody: str = "puback") -> Device:
        devices.append(Device(tmp_path, where, identity, custody))
        return devices[-1]

    yield make
    for device in devices:
        device.stop()


@pytest.fixture
def open_consumer() -> Iterator[Callable[[Endpoint], Consumer]]:
    consumers = []

    def make(where: Endpoint) -> Consumer:
        consumers.append(Consumer(where))
        return consumers[-1]

    yield make
    for consumer in consumers:
        consumer.subscriber.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as running:
        yield running


OpenDevice = Callable[..., Device]
OpenConsumer = Callable[[Endpoint], Consumer]


def some(count: int) -> list[Alert]:
    return [moment() for _ in range(count)]


def ids(alerts: list[Alert]) -> set[str]:
    return {one.alert_id for one in alerts}


@pytest.mark.parametrize("protocol", ["mqtt5", "mqtt311"])
def test_everything_a_device_tells_arrives_and_is_valid(
    broker: Broker, open_device: OpenDevice, open_consumer: OpenConsumer, protocol: str
) -> None:
    consumer = open_consumer(endpoint(broker.port, "consumer", protocol=protocol))
    consumer.wait_until_connected()
    device = open_device(endpoint(broker.port, protocol=protocol))
    alerts = some(100)
    parts = {"vision": {"state": "ok", "reason": None, "since_utc_ns": UTC_NS}}
    device.tell(*alerts, HealthReport("ok", parts))
    until(lambda: consumer.ids() == ids(alerts) and consumer.bodies("health"))
    until(lambda: device.delivery.pending == 0)
    device.stop()
    until(lambda: consumer.bodies("status")[-1]["state"] == "stopped")
    for told in consumer.told:
        assert_valid(told.name, told.body)
    assert [body["seq"] for body in consumer.bodies("alert")] == list(range(1, 101))
    assert consumer.bodies("status")[-1]["seq_high"] == 100
    assert (consumer.subscriber.refused, consumer.subscriber.duplicates) == (0, 0)


def test_alerts_wait_for_a_broker_that_is_not_there_yet(
    tmp_path: Path, open_device: OpenDevice, open_consumer: OpenConsumer
) -> None:
    port = free_port()
    device = open_device(endpoint(port))
    alerts = some(200)
    device.tell(*alerts)
    until(lambda: device.delivery.committed == 200)
    until(lambda: "Connection refused" in str(device.delivery.reason))
    consumer = open_consumer(endpoint(port, "consumer"))
    with Broker(tmp_path, port=port):
        until(lambda: consumer.ids() == ids(alerts))
        until(lambda: device.delivery.pending == 0)


def test_a_broker_killed_in_mid_stream_loses_nothing_that_it_had_not_acknowledged(
    broker: Broker, open_device: OpenDevice, open_consumer: OpenConsumer
) -> None:
    consumer = open_consumer(endpoint(broker.port, "consumer"))
    consumer.wait_until_connected()
    device = open_device(endpoint(broker.port))
    told: set[str] = set()
    for _ in range(3):
        alerts = some(50)
        told.update(ids(alerts))
        broker.sigstop()  # takes bytes, acknowledges none
        device.tell(*alerts)
        until(lambda: device.delivery.pending == 50)
        broker.kill9()
        broker.start()
        until(lambda: consumer.ids() == told and device.delivery.pending == 0)


def test_without_a_subscriber_nothing_is_dropped(
    broker: Broker, open_device: OpenDevice, open_consumer: OpenConsumer
) -> None:
    device = open_device(endpoint(broker.port))
    alerts = some(50)
    device.tell(*alerts)
    until(lambda: device.acked.get(16, 0) > 50)
    assert (device.delivery.state, device.delivery.pending) == ("no_subscriber", 50)
    consumer = open_consumer(endpoint(broker.port, "consumer"))
    until(lambda: consumer.ids() == ids(alerts))
    until(lambda: device.delivery.pending == 0)
    assert device.delivery.state == "delivering"


def test_a_device_without_credentials_keeps_its_alerts_and_says_why(
    tmp_path: Path, open_device: OpenDevice
) -> None:
    with Broker(tmp_path, "allow_anonymous false") as broker:
        device = open_device(endpoint(broker.port))
        device.tell(*some(3))
        until(lambda: device.delivery.reason == "the broker refused: Not authorized")
        assert (device.delivery.pending, device.delivery.delivered) == (3, 0)


def test_a_frozen_broker_gets_everything_once_it_thaws(
    broker: Broker, open_device: OpenDevice, open_consumer: OpenConsumer
) -> None:
    consumer = open_consumer(endpoint(broker.port, "consumer"))
    consumer.wait_until_connected()
    device = open_device(endpoint(broker.port, keepalive_s=1))
    until(lambda: device.delivery.connected)
    broker.sigstop()
    alerts = some(100)
    device.tell(*alerts)
    until(lambda: not device.delivery.connected)
    broker.sigcont()
    until(lambda: consumer.ids() == ids(alerts) and device.delivery.pending == 0)


DYING = """
import sys
from pathlib import Path
from tests.alerts.test_delivery import Device, endpoint, some, until

device = Device(Path(sys.argv[1]), endpoint(int(sys.argv[2])))
alerts = some(40)
device.tell(*alerts)
until(lambda: device.delivery.committed == 40)
print(*(one.alert_id for one in alerts), flush=True)
sys.stdin.read()
"""


def test_the_next_process_tells_what_a_killed_one_could_not(
    tmp_path: Path, open_device: OpenDevice, open_consumer: OpenConsumer
) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    committed = set(process.stdout.readline().split())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    consumer = open_consumer(endpoint(port, "consumer"))
    with Broker(tmp_path, port=port):
        device = open_device(endpoint(port), NEXT_RUN)
        later = some(1)
        device.tell(*later)
        until(lambda: consumer.ids() == committed | ids(later))
        replayed = {body["alert_id"] for body in consumer.bodies("alert") if body["replayed"]}
    assert len(committed) == 40
    assert committed <= replayed


def test_a_device_that_vanishes_is_told_offline(
    broker: Broker, tmp_path: Path, open_consumer: OpenConsumer
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path), str(broker.port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    consumer = open_consumer(endpoint(broker.port, "consumer"))
    until(lambda: [body["state"] for body in consumer.bodies("status")] == ["online"])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until(lambda: [body["state"] for body in consumer.bodies("status")] == ["online", "offline"])
    assert consumer.bodies("status")[-1]["boot_id"] == IDENTITY.boot_id
