"""Somebody who listens to what devices tell, beside the collector, and counts the copies."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

_ALERTS = "edgeguard/v1/+/+/up/alert/#"


class Tap:
    """Listens while it is open, at QoS 0, and anew whenever the broker comes back."""

    def __init__(self, port: int) -> None:
        self.copies = 0
        self._different: set[tuple[str, int]] = set()
        self._port = port
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)

    @property
    def duplicates(self) -> int:
        """Copies beyond the first of each alert message."""
        return self.copies - len(self._different)

    def __enter__(self) -> Tap:
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(_ALERTS, 0)

    def _take(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        body = json.loads(message.payload)
        self.copies += 1
        self._different.add((body["boot_id"], body["seq"]))
