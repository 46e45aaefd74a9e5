"""From a broker's address to a client that listens."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from uuid import uuid4

from edgeguard.alerts.link import Endpoint, LinkEvent, Tls
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.topics import up_filter
from edgeguard.client.client import Client
from edgeguard.clock import Clock, SystemClock

_CAPACITY = 100_000


class _Queue:
    """An inbox; when it is full, the broker waits."""

    def __init__(self) -> None:
        self._events: queue.Queue[LinkEvent] = queue.Queue(_CAPACITY)
        self.put = self._events.put

    def get_all(self, timeout_s: float | None = None) -> Sequence[LinkEvent]:
        events: list[LinkEvent] = []
        try:
            events.append(self._events.get(block=timeout_s != 0, timeout=timeout_s))
            while True:
                events.append(self._events.get_nowait())
        except queue.Empty:
            return events


def connect(
    host: str,
    port: int | None = None,
    *,
    site: str = "+",
    device: str = "+",
    username: str | None = None,
    password: str | None = None,
    tls: Tls | None = None,
    heartbeat_s: float = 10.0,
    grace_s: float = 30.0,
    clock: Clock | None = None,
) -> Client:
    """A client for the devices at the broker `host`, not started yet: use it in a `with` block.

    `site` and `device` narrow it down; `+` is any. With `tls` the broker's certificate is verified and the
    port is 8883, without it 1883. `heartbeat_s` is the time between two health messages of a device, after
    three of which it counts as silent; `grace_s` is how long a missing message may be late. Raises
    ConfigError for TLS files that cannot be used.
    """
    endpoint = Endpoint(
        host=host,
        port=port or (8883 if tls else 1883),
        client_id=f"edgeguard-client-{uuid4().hex[:12]}",
        username=username,
        password=password,
        tls=tls,
        session_expiry_s=0,
    )
    return open_client(endpoint, up_filter(site, device), clock, heartbeat_s=heartbeat_s, grace_s=grace_s)


def open_client(
    endpoint: Endpoint,
    topic_filter: str | Sequence[str],
    clock: Clock | None = None,
    *,
    heartbeat_s: float = 10.0,
    grace_s: float = 30.0,
) -> Client:
    """The same for whoever knows the endpoint and one topic filter or several; not started yet."""
    inbox = _Queue()
    filters = [topic_filter] if isinstance(topic_filter, str) else topic_filter
    link = MqttLink(endpoint, inbox.put, subscriptions=filters)
    return Client(link, inbox, clock or SystemClock(), heartbeat_s=heartbeat_s, grace_s=grace_s)
