"""The least that a collector is: it keeps every durable message in memory and sends a receipt for it."""

from __future__ import annotations

import json
import threading

from edgeguard.alerts.exchange import receipt_message
from edgeguard.alerts.link import Endpoint, LinkEvent, Received
from edgeguard.alerts.messages import encode
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.topics import Topics
from edgeguard.runtime.channel import Channel
from tests.support.alerts import UTC_NS

SITE, DEVICE = "depot", "gate-1"


class Receipting:
    """On a thread of its own. While `mute`, it keeps messages and sends no receipts."""

    def __init__(self, where: Endpoint) -> None:
        self.mute = False
        self.kept: dict[tuple[str, int], bytes] = {}
        self.copies = 0
        self._inbox: Channel[LinkEvent] = Channel(100_000)
        filters = [f"edgeguard/v1/+/+/up/{rest}" for rest in ("alert/#", "clock", "health/past")]
        self._link = MqttLink(where, self._inbox.put, subscriptions=filters)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    @property
    def alert_ids(self) -> set[str]:
        return {json.loads(body).get("alert_id") for body in list(self.kept.values())} - {None}

    def _run(self) -> None:
        self._link.start()
        while not self._stop.is_set():
            named = [self._keep(event) for event in self._inbox.get_all(0.05) if isinstance(event, Received)]
            if named and not self.mute:
                body = encode(receipt_message(SITE, DEVICE, "centre", named, UTC_NS))
                self._link.publish(Topics(SITE, DEVICE).receipt, body)
        self._link.close()

    def _keep(self, received: Received) -> tuple[str, int]:
        message = json.loads(received.body)
        key = (message["boot_id"], message["seq"])
        self.copies += 1
        self.kept[key] = received.body
        return key
