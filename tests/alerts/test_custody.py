"""Custody by receipt, against a real broker that forgets what it acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeguard.alerts.link import Endpoint
from edgeguard.alerts.outbox_check import check
from tests.alerts.test_delivery import Device, ids, some, until
from tests.support.alerts import endpoint
from tests.support.broker import Broker, free_port
from tests.support.receipting import Receipting


@pytest.fixture
def open_device(tmp_path: Path) -> Iterator[Callable[[Endpoint], Device]]:
    devices = []

    def make(where: Endpoint) -> Device:
        devices.append(Device(tmp_path, where, custody="receipt"))
        return devices[-1]

    yield make
    for device in devices:
        device.stop()


@pytest.fixture
def open_centre() -> Iterator[Callable[[Endpoint], Receipting]]:
    centres = []

    def make(where: Endpoint) -> Receipting:
        centres.append(Receipting(where))
        return centres[-1]

    yield make
    for centre in centres:
        centre.stop()


OpenDevice = Callable[[Endpoint], Device]
OpenCentre = Callable[[Endpoint], Receipting]


def test_what_a_broker_acknowledged_and_forgot_arrives_all_the_same(
    tmp_path: Path, open_device: OpenDevice, open_centre: OpenCentre
) -> None:
    with Broker(tmp_path) as broker:
        centre = open_centre(endpoint(broker.port, "centre"))
        device = open_device(endpoint(broker.port))
        first = some(1)
        device.tell(*first)
        until(lambda: centre.alert_ids == ids(first))
        centre.stop()  # its session stays: the broker takes messages for it into memory
        alerts = some(200)
        device.tell(*alerts)
        until(lambda: device.acked.get(0, 0) >= 200)
        broker.kill9()
        broker.start()
        assert device.delivery.pending == 200
        later = open_centre(endpoint(broker.port, "centre"))
        until(lambda: later.alert_ids >= ids(alerts) and device.delivery.pending == 0)


def test_a_thousand_alerts_wait_for_a_broker_that_is_down(
    tmp_path: Path, open_device: OpenDevice, open_centre: OpenCentre
) -> None:
    port = free_port()
    device = open_device(endpoint(port))
    alerts = some(1000)
    device.tell(*alerts)
    until(lambda: device.delivery.committed == 1000)
    assert check(tmp_path / "outbox.db").rows["warning"] == 1000
    centre = open_centre(endpoint(port, "centre"))
    with Broker(tmp_path, port=port):
        until(lambda: centre.alert_ids == ids(alerts) and device.delivery.pending == 0)
    assert check(tmp_path / "outbox.db").sound


def test_a_broker_that_dies_again_and_again_delays_and_loses_nothing(
    tmp_path: Path, open_device: OpenDevice, open_centre: OpenCentre
) -> None:
    with Broker(tmp_path) as broker:
        centre = open_centre(endpoint(broker.port, "centre"))
        device = open_device(endpoint(broker.port))
        told: set[str] = set()
        for _ in range(5):
            alerts = some(60)
            told |= ids(alerts)
            device.tell(*alerts)
            threading.Event().wait(0.2)
            broker.kill9()
            broker.start()
        until(lambda: centre.alert_ids == told and device.delivery.pending == 0)


def test_without_receipts_it_goes_on_trying_and_says_so(
    tmp_path: Path, open_device: OpenDevice, open_centre: OpenCentre
) -> None:
    with Broker(tmp_path) as broker:
        centre = open_centre(endpoint(broker.port, "centre"))
        centre.mute = True
        device = open_device(endpoint(broker.port))
        alerts = some(400)  # more than a window
        device.tell(*alerts)
        until(lambda: device.delivery.state == "no_receipts")
        assert device.delivery.pending == 400
        centre.mute = False
        until(lambda: device.delivery.pending == 0)
        assert centre.alert_ids == ids(alerts)
        assert centre.copies > 400
        until(lambda: device.delivery.state == "delivering")


def test_a_connection_that_is_only_half_open_is_noticed_within_two_keepalives(
    tmp_path: Path, open_device: OpenDevice
) -> None:
    keepalive_s = 2
    with Broker(tmp_path) as broker:
        device = open_device(endpoint(broker.port, keepalive_s=keepalive_s))
        until(lambda: device.delivery.connected)
        broker.sigstop()
        frozen = time.monotonic()
        until(lambda: not device.delivery.connected)
        assert time.monotonic() - frozen < 2 * keepalive_s + 1.5
        broker.sigcont()
        until(lambda: device.delivery.connected)
