"""Simulated devices: presence, health, alerts that are sent again until they are receipted, reconnects."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from _alerts import Inventor
from _mqtt_simulator import MQTT5, MqttConnection, Will

from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    alert_message,
    encode,
    health_message,
    status_message,
)
from edgeguard.clock import Clock

SITE = "fleet"
RETRY_S = 5.0
"""Seconds after which what was not receipted is sent again."""
_SYNCED = ClockQuality("synced", 0.2)
_PART = {
    "state": "ok",
    "reason": None,
    "since_utc_ns": 1_790_000_000_000_000_000,
    "rate_per_s": 5.0,
    "drops": 0,
}
_REPORT = HealthReport("ok", dict.fromkeys(("gate", "yard", "detector", "broker", "outbox"), _PART))


@dataclass
class Tally:
    """What happened to the whole fleet."""

    latency_ms: list[float] = field(default_factory=list)
    """From handing over to the receipt, of each alert."""
    told: set[tuple[str, int]] = field(default_factory=set)
    """(alert id, revision) of all that was handed over."""
    sent: int = 0
    """Copies that went on the wire."""
    reconnects: int = 0
    refusals: int = 0
    """Attempts at a connection that failed."""


class FleetDevice:
    """One device. It keeps what is not receipted, in memory: what is on trial is the other end."""

    level = MQTT5

    def __init__(self, number: int, port: int, clock: Clock, rng: random.Random, tally: Tally) -> None:
        self.waiting: dict[int, tuple[int, str, bytes]] = {}
        """By `seq`: when it was handed over (ns), its topic and body."""
        boot_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self._identity = Identity(SITE, f"guard-{number}", boot_id, "0.1.0", clock.utc_ns())
        self._topics = self._identity.topics
        self._port = port
        self._clock = clock
        self._inventor = Inventor(rng.getrandbits(32), clock)
        self._tally = tally
        self._seq = 0
        self._connection: MqttConnection | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None and self._connection.open

    async def connect(self) -> None:
        """Until it succeeds; then the device is born again and tells what is not receipted."""
        while not await self._attempt():
            self._tally.refusals += 1
            await asyncio.sleep(0.5)
        self._say_state("online")
        self.tell_health()
        for seq in list(self.waiting):
            self._send(seq)

    def drop(self) -> None:
        """Lose the connection, without a word to the broker."""
        if self._connection is not None:
            self._connection.abort()

    def leave(self) -> None:
        """Stop in order."""
        if self._connection is not None and self._connection.open:
            self._say_state("stopped")
            self._connection.close()

    def tell_alert(self) -> int:
        """Hand over one more revision; its `seq`."""
        self._seq += 1
        alert, now_ns = self._inventor.next(), self._clock.monotonic_ns()
        body = encode(alert_message(alert, self._identity, self._seq, now_ns, _SYNCED))
        self._tally.told.add((alert.alert_id, alert.revision))
        self.waiting[self._seq] = (now_ns, self._topics.alert(alert.source, alert.kind), body)
        self._send(self._seq)
        return self._seq

    def tell_again(self, seq: int) -> bool:
        """Send it once more, unless it is receipted; whether it was not."""
        if seq in self.waiting:
            self._send(seq)
        return seq in self.waiting

    def tell_health(self) -> None:
        body = health_message(_REPORT, self._identity, self._clock.utc_ns(), self._seq, _SYNCED)
        self._publish(self._topics.health, encode(body), retain=True)

    async def _attempt(self) -> bool:
        will = Will(self._topics.status, encode(status_message("offline", self._identity, custody="receipt")))
        name = f"edgeguard-{SITE}-{self._identity.device}"
        connection = MqttConnection(name, self._topics.down_filter, self._receive, will, level=self.level)
        try:
            await self._dial(connection)
            await asyncio.wait_for(connection.ready, 30)
        except (OSError, RuntimeError, asyncio.TimeoutError):
            connection.abort()
            return False
        self._connection = connection
        return True

    async def _dial(self, connection: MqttConnection) -> None:
        await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", self._port)

    def _say_state(self, state: str) -> None:
        now_ns = self._clock.utc_ns()
        message = status_message(state, self._identity, now_ns, self._seq, custody="receipt")
        self._publish(self._topics.status, encode(message), retain=True)

    def _send(self, seq: int) -> None:
        _, topic, body = self.waiting[seq]
        if self._publish(topic, body):
            self._tally.sent += 1

    def _publish(self, topic: str, body: bytes, *, retain: bool = False) -> bool:
        if self._connection is None or not self._connection.room:
            return False
        self._connection.publish(topic, body, retain=retain)
        return True

    def _receive(self, topic: str, body: bytes) -> None:
        if topic != self._topics.receipt:
            return
        now_ns = self._clock.monotonic_ns()
        for run in json.loads(body)["committed"]:
            for seq in run["seqs"] if run["boot_id"] == self._identity.boot_id else ():
                if (told := self.waiting.pop(seq, None)) is not None:
                    self._tally.latency_ms.append((now_ns - told[0]) / 1e6)


class Fleet:
    """All devices, and the rhythm in which they speak."""

    def __init__(self, devices: int, port: int, clock: Clock, seed: int) -> None:
        self.tally = Tally()
        self._random = random.Random(seed)  # noqa: S311  to be repeated, not to be secret
        self._clock = clock
        self._devices = [self._device(number, port) for number in range(devices)]
        self._again: deque[tuple[int, FleetDevice, int]] = deque()
        self._next_health = 0
        self._returning: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Alerts that are not receipted."""
        return sum(len(device.waiting) for device in self._devices)

    async def connect(self, per_s: float) -> None:
        """All, each at a random moment."""
        spread_s = len(self._devices) / per_s
        await asyncio.gather(*(self._join(self._random.uniform(0, spread_s), one) for one in self._devices))

    async def talk(self, seconds: float, rate: float, reconnects_per_s: float, health_every_s: float) -> None:
        """`rate` alerts a second from random devices, health from each in turn, random connections lost."""
        health_per_s = len(self._devices) / health_every_s
        begin_ns = self._clock.monotonic_ns()
        alerts = healths = losses = 0
        while (passed_s := (self._clock.monotonic_ns() - begin_ns) / 1e9) < seconds:
            alerts += self._tell_alerts(round(rate * passed_s) - alerts)
            healths += self._tell_health(round(health_per_s * passed_s) - healths)
            losses += self._lose(round(reconnects_per_s * passed_s) - losses)
            self._tell_again()
            await asyncio.sleep(0.005)
        self._tell_alerts(round(rate * seconds) - alerts)

    async def drain(self, timeout_s: float) -> None:
        """Until all is receipted."""
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * 1e9)
        while self.waiting and self._clock.monotonic_ns() < deadline_ns:
            self._tell_again()
            await asyncio.sleep(0.05)

    async def leave(self) -> None:
        for task in self._returning:
            task.cancel()
        for device in self._devices:
            device.leave()
        await asyncio.sleep(0.2)

    def _device(self, number: int, port: int) -> FleetDevice:
        return FleetDevice(number, port, self._clock, self._random, self.tally)

    async def _join(self, wait_s: float, device: FleetDevice) -> None:
        await asyncio.sleep(wait_s)
        await device.connect()

    def _tell_alerts(self, count: int) -> int:
        for device in self._random.choices(self._devices, k=count):
            self._wait_for_receipt(device, device.tell_alert())
        return count

    def _wait_for_receipt(self, device: FleetDevice, seq: int) -> None:
        self._again.append((self._clock.monotonic_ns() + round(RETRY_S * 1e9), device, seq))

    def _tell_again(self) -> None:
        now_ns = self._clock.monotonic_ns()
        while self._again and self._again[0][0] <= now_ns:
            _, device, seq = self._again.popleft()
            if device.tell_again(seq):
                self._wait_for_receipt(device, seq)

    def _tell_health(self, count: int) -> int:
        for number in range(self._next_health, self._next_health + count):
            self._devices[number % len(self._devices)].tell_health()
        self._next_health += count
        return count

    def _lose(self, count: int) -> int:
        for device in self._random.choices(self._devices, k=count):
            if device.connected:
                device.drop()
                self.tally.reconnects += 1
                self._keep(asyncio.create_task(self._join(self._random.uniform(0.05, 1), device)))
        return count

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie; 0 of none."""
    ordered = sorted(values)
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 2) if ordered else 0.0
