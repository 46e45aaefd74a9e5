"""A small consumer of what devices tell: parsed, checked, each alert revision once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from edgeguard.alerts.link import Connected, Disconnected, Inbox, Link, LinkEvent, Received
from edgeguard.alerts.parse import parse
from edgeguard.alerts.topics import sender

_REMEMBERED = 10_000
"""Alert revisions that are recognised when they come again."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message that a device told."""

    name: str
    """`alert`, `status` or `health`: also the name of its schema."""
    topic: str
    body: dict[str, Any]
    retained: bool
    """It was told before we subscribed."""


class Subscriber:
    """Reads the events of a link that subscribes to `topics.up_filter()`; owned by one thread.

    A message is refused, counted and otherwise ignored if it is not strict JSON, does not fit its schema, or
    names another site or device than its topic.
    """

    def __init__(self, link: Link, inbox: Inbox[LinkEvent]) -> None:
        self.disconnected: str | None = "not connected yet"
        """Why there is no connection; None if there is one."""
        self.duplicates = 0
        self.refused = 0
        self.last_refusal: str | None = None
        self._link = link
        self._inbox = inbox
        self._seen: OrderedDict[tuple[str, int], None] = OrderedDict()

    def start(self) -> None:
        self._link.start()

    def receive(self, timeout_s: float) -> list[Told]:
        """What came; waits up to `timeout_s` for something."""
        told = [self._take(event) for event in self._inbox.get_all(timeout_s)]
        return [message for message in told if message is not None]

    def stop(self) -> None:
        self._link.close()

    def _take(self, event: LinkEvent) -> Told | None:
        if isinstance(event, Received):
            return self._read(event)
        if isinstance(event, Connected):
            self.disconnected = None
        elif isinstance(event, Disconnected):
            self.disconnected = event.reason
        return None

    def _read(self, received: Received) -> Told | None:
        try:
            told = _told(received)
        except ValueError as error:
            self.refused += 1
            self.last_refusal = f"{received.topic}: {error}"[:500]
            return None
        if told.name == "alert" and self._is_known(told.body):
            self.duplicates += 1
            return None
        return told

    def _is_known(self, alert: dict[str, Any]) -> bool:
        key = (alert["alert_id"], alert["revision"])
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False


def _told(received: Received) -> Told:
    origin = sender(received.topic)
    if origin is None:
        raise ValueError("unknown topic")
    site, device, name = origin
    body = parse(received.body, name)
    if (body["site"], body["device"]) != (site, device):
        raise ValueError("its site or device is not that of its topic")
    return Told(name, received.topic, body, received.retained)
