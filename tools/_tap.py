"""Somebody who listens to what devices tell, beside the collector."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, TypeVar

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

TapT = TypeVar("TapT", bound="Tap")


class Tap(ABC):
    """Listens to `topics` while it is open, at QoS 0, and anew whenever the broker comes back."""

    def __init__(self, port: int, topics: str) -> None:
        self._port, self._topics = port, topics
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = self._subscribe
        self._client.on_message = lambda _client, _data, message: self._take(message)
        self._client.reconnect_delay_set(1, 1)

    def __enter__(self: TapT) -> TapT:
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @abstractmethod
    def _take(self, message: paho.MQTTMessage) -> None:
        """Called on the client's thread."""

    def _subscribe(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(self._topics, 0)


class AlertTap(Tap):
    """Counts the copies of alerts."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "edgeguard/v1/+/+/up/alert/#")
        self.copies = 0
        self._different: set[tuple[str, int]] = set()

    @property
    def duplicates(self) -> int:
        """Copies beyond the first of each alert message."""
        return self.copies - len(self._different)

    def _take(self, message: paho.MQTTMessage) -> None:
        body = json.loads(message.payload)
        self.copies += 1
        self._different.add((body["boot_id"], body["seq"]))
