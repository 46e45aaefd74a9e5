"""A device with receipt custody, reduced to what matters: it sends until the receipt comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edgeguard.alerts.link import Received
from edgeguard.alerts.messages import Identity
from edgeguard.alerts.parse import parse
from tests.support.alerts import IDENTITY

_AGAIN_S = 1.0


class Sender:
    """Keeps what is not receipted and sends it every second."""

    def __init__(self, port: int, identity: Identity = IDENTITY) -> None:
        self.receipted: set[tuple[str, int]] = set()
        self.commands: list[dict[str, object]] = []
        self._topics = identity.topics
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topics.down_filter, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(20)

    def send(self, *messages: Received) -> None:
        for message in messages:
            self._client.publish(message.topic, message.body, 1, message.retained)

    def deliver(self, boot_id: str, messages: Iterable[tuple[int, Received]], timeout_s: float = 60) -> int:
        """Send until all are receipted; returns how many sendings that took."""
        waiting = dict(messages)
        deadline, sendings = time.monotonic() + timeout_s, 0
        while waiting:
            assert time.monotonic() < deadline, f"{len(waiting)} were never receipted"
            self.send(*waiting.values())
            sendings += len(waiting)
            again = time.monotonic() + _AGAIN_S
            while waiting and time.monotonic() < again:
                time.sleep(0.02)
                waiting = {seq: one for seq, one in waiting.items() if (boot_id, seq) not in self.receipted}
        return sendings

    def _hear(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic == self._topics.receipt:
            for part in parse(message.payload, "receipt")["committed"]:
                self.receipted |= {(part["boot_id"], seq) for seq in part["seqs"]}
        elif "/command/" in message.topic:
            self.commands.append(parse(message.payload, "command"))
        else:
            self.commands.append(parse(message.payload, "ack"))

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
