"""Faults between three real processes, a device's delivery, a broker and a collector: no alert is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from _centre import CollectorProgram, DeviceProgram
from _programs import Mosquitto
from _verdict import Intent, judge

from tests.support.daemon import Listener
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import wait_for

pytestmark = pytest.mark.e2e
KEEPALIVE_S = 5
Json = dict[str, Any]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, "allow_anonymous true") as mosquitto:
        mosquitto.start()
        yield mosquitto


@pytest.fixture
def collector(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[CollectorProgram]:
    with CollectorProgram(tmp_path, mosquitto.port) as collector:
        yield collector


def make_device(folder: Path, port: int, alerts: int, rate: float, **other: Any) -> DeviceProgram:
    mqtt = {"retry_s": 1, "keepalive_s": KEEPALIVE_S, **other.pop("mqtt", {})}
    return DeviceProgram(folder, port, alerts=alerts, rate=rate, seed=1, mqtt=mqtt, **other)


def assert_all_is_collected(device: DeviceProgram, collector: CollectorProgram, alerts: int) -> None:
    """The device ends because nothing waits, and the collector has what it told and nothing else."""
    device.finish()
    assert device.process.wait(60) == 0
    assert len(device.lines("committed")) == alerts
    assert collector.unexplained(device.seq_high()) == 0
    assert collector.stop() == 0
    intents = map(Intent.of_line, device.lines("intents"))
    verdict = judge(intents, map(int, device.lines("committed")), collector.alerts())
    assert (verdict.lost, verdict.invented, verdict.collected) == ([], [], alerts)


def wait_for_broker(device: DeviceProgram, state: str, reason: str = "", timeout_s: float = 30.0) -> None:
    def look() -> bool:
        part = device.health_of("broker")
        return part.get("state") == state and reason in (part.get("reason") or "")

    wait_for(look, f"broker {state} {reason}", timeout_s)


def told(device: DeviceProgram, count: int) -> None:
    """Wait until so many alerts are on the device's disk."""
    wait_for(lambda: len(device.lines("committed")) >= count, f"{count} alerts")


def test_the_collector_is_killed_in_mid_stream(
    tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram
) -> None:
    with make_device(tmp_path, mosquitto.port, 400, 100) as device:
        collector.start()
        device.start()
        for count in (80, 200):
            told(device, count)
            collector.kill9()
            told(device, count + 60)
            collector.start()
        assert_all_is_collected(device, collector, 400)


def test_a_burst_costs_no_receipt(tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram) -> None:
    collector.start()
    collector.wait_until_ready()
    device = make_device(tmp_path, mosquitto.port, 4000, 100_000, mqtt={"retry_s": 60})
    with device, Listener(mosquitto.port) as listener:
        device.start()
        assert_all_is_collected(device, collector, 4000)
        numbers = [alert["seq"] for alert in listener.alerts]
        assert len(numbers) == len(set(numbers)), "something was sent again"


def test_nobody_collects_until_later(
    tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram
) -> None:
    with make_device(tmp_path, mosquitto.port, 300, 200) as device:
        device.start()
        wait_for_broker(device, "degraded", "nobody subscribes")
        told(device, 300)
        assert device.health_of("outbox")["pending"] >= 300
        collector.start()
        wait_for_broker(device, "ok")
        assert_all_is_collected(device, collector, 300)


def test_the_broker_restarts_every_second(
    tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram
) -> None:
    with make_device(tmp_path, mosquitto.port, 300, 60) as device:
        collector.start()
        device.start()
        told(device, 1)
        for _ in range(4):
            time.sleep(1)
            mosquitto.stop()
            mosquitto.start()
        assert_all_is_collected(device, collector, 300)


def test_the_receipts_of_a_whole_window_are_lost(
    tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram
) -> None:
    window = 10
    with FaultProxy(mosquitto.port) as proxy:
        proxy.loses = lambda topic: topic.endswith("/down/receipt")
        device = make_device(tmp_path, proxy.port, 200, 100, mqtt={"window": window})
        with device, Listener(mosquitto.port) as listener:
            collector.start()
            collector.wait_until_ready()
            device.start()
            wait_for_broker(device, "degraded", "no collector confirms")
            told(device, 200)
            assert proxy.lost > 0
            assert device.health_of("outbox")["delivered"] == 0
            proxy.loses = lambda _topic: False
            wait_for_broker(device, "ok")
            assert_all_is_collected(device, collector, 200)
            assert len(listener.alerts) >= 200 + window, "nothing was sent again"


def test_a_link_that_is_only_half_open_is_noticed(
    tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram
) -> None:
    with FaultProxy(mosquitto.port) as proxy, make_device(tmp_path, proxy.port, 300, 50) as device:
        collector.start()
        device.start()
        told(device, 50)
        proxy.swallow = True
        begin = time.monotonic()
        wait_for_broker(device, "degraded", "connection ended")
        assert time.monotonic() - begin < 2 * KEEPALIVE_S + 1
        proxy.swallow = False
        assert_all_is_collected(device, collector, 300)


def test_a_slow_uplink_that_is_reset_now_and_then(
    tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram
) -> None:
    with (
        FaultProxy(mosquitto.port) as proxy,
        make_device(tmp_path, proxy.port, 120, 60, mqtt={"retry_s": 5}) as device,
    ):
        proxy.latency_s, proxy.bytes_per_s = 0.15, 160_000
        collector.start()
        device.start()
        for count in (30, 80):
            told(device, count)
            wait_for_broker(device, "ok")
            proxy.reset()
        assert_all_is_collected(device, collector, 120)
        assert proxy.connections >= 3


def faked_clock(folder: Path) -> tuple[Path, Mapping[str, str]]:
    """A file that says how far UTC is off, and the environment in which a process believes it."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("libfaketime is not installed: apt install libfaketime")
    offset = folder / "offset"
    offset.write_text("+0\n")
    return offset, {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def test_the_clock_is_set_an_hour_back_and_forward_again(
    tmp_path: Path, mosquitto: Mosquitto, collector: CollectorProgram
) -> None:
    offset, environment = faked_clock(tmp_path)
    collector.start()
    collector.wait_until_ready()
    device = make_device(tmp_path, mosquitto.port, 300, 60, environment=environment)
    with device, Listener(mosquitto.port) as listener:
        device.start()
        for count, hours in ((80, -1), (180, 0)):
            told(device, count)
            offset.write_text(f"{3600 * hours:+d}\n")
        assert_all_is_collected(device, collector, 300)
        steps = {clock["seq"]: clock["step_ms"] for clock in listener.messages("clock")}
        assert [round(step / 1000) for step in steps.values()] == [-3600, 3600]
        between = [alert["seq"] for alert in listener.alerts if is_an_hour_early(alert, listener.alerts[0])]
        assert between
        first, last = steps
        assert first < min(between) <= max(between) < last


def is_an_hour_early(alert: Json, first: Json) -> bool:
    return bool(alert["observed_at"] < first["observed_at"])
