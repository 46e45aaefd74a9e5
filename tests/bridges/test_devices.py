from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgeguard.bridges.devices import Device, Devices
from edgeguard.clock import ManualClock
from tests.bridges.told import PARTS, counts, health, part, status
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_offset_ns=UTC_NS)


@pytest.fixture
def device(clock: ManualClock) -> Device:
    return Device("depot", "gate-1", clock, silent_s=60)


def test_a_device_that_said_nothing_is_unknown(device: Device) -> None:
    assert device.state == "unknown"


@pytest.mark.parametrize("live", [True, False])
def test_it_is_online_until_it_is_silent_for_too_long(device: Device, clock: ManualClock, live: bool) -> None:
    device.take("status", status(), live)
    clock.advance(60)
    assert device.state == "online"
    clock.advance(1)
    assert device.state == "unknown"


def test_what_the_broker_kept_is_no_sign_of_life(device: Device, clock: ManualClock) -> None:
    device.take("status", status(), live=False)
    clock.advance(61)
    device.take("health", health(), live=False)
    assert device.state == "unknown"


def test_records_of_past_health_are_not_the_present(device: Device) -> None:
    device.take("status", status(), live=True)
    device.take("health", {**health(state="degraded"), "seq": 7}, live=True)
    assert device.health is None


@pytest.mark.parametrize("state", ["online", "stopped"])
def test_a_new_run_begins_with_whatever_it_says_itself(device: Device, state: str) -> None:
    device.take("status", status(), live=True)
    device.take("health", health(), live=True)
    device.take("counts", counts(2), live=True)
    device.take("status", status(state, NEXT_RUN), live=True)
    assert device.state == state
    assert (device.health, device.counts) == (None, {})


def test_the_order_in_which_the_broker_tells_what_it_kept_is_no_matter(device: Device) -> None:
    device.take("counts", counts(9), live=False)
    device.take("health", health(identity=NEXT_RUN), live=False)
    device.take("status", status(identity=NEXT_RUN), live=False)
    device.take("counts", counts(2, identity=NEXT_RUN), live=False)
    assert device.health is not None
    assert {camera: body["seen"] for camera, body in device.counts.items()} == {"gate": {"person": 2}}


def test_age_is_by_the_devices_clock_once_that_is_known(device: Device, clock: ManualClock) -> None:
    said = health(at_s=-1000)
    assert device.age_s(said["at"]) == 1000
    device.take("health", said, live=True)
    assert device.age_s(said["at"]) == 0
    clock.advance(5)
    assert device.age_s(said["at"]) == 5


def test_losses_are_measured_over_some_seconds(device: Device) -> None:
    def lost(at_s: float, count: Any) -> dict[str, float]:
        parts = {**PARTS, "camera/gate": part(frames_replaced=count)}
        device.take("health", health(parts, at_s=at_s), live=True)
        return dict(device.skipped_per_s)

    assert lost(0, 0) == {}
    assert lost(1, 100) == {}
    assert lost(10, 30) == {"gate": 3.0}
    assert lost(-500, 40) == {"gate": 3.0}  # the clock was set back
    assert lost(-490, 40) == {"gate": 0.0}
    assert lost(-480, "many") == {"gate": 0.0}


def test_more_devices_and_cameras_than_anybody_has_are_forgotten(
    clock: ManualClock, monkeypatch: Any
) -> None:
    monkeypatch.setattr("edgeguard.bridges.devices._MOST_DEVICES", 2)
    monkeypatch.setattr("edgeguard.bridges.devices._MOST_SOURCES", 2)
    devices = Devices(clock, 60)
    for number in (1, 2, 1, 3):
        devices.of(status(identity=replace(IDENTITY, device=f"gate-{number}")))
    assert [device.name for device in devices] == ["gate-1", "gate-3"]
    device = devices.of(status())
    for number in range(3):
        device.take("counts", counts(1, source=f"camera-{number}"), live=True)
    assert list(device.counts) == ["camera-0", "camera-1"]
