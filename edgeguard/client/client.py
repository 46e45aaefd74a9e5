"""Hears what devices tell and keeps account of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from edgeguard.alerts.exchange import ack_message, command_message
from edgeguard.alerts.link import (
    Disconnected,
    Inbox,
    Link,
    LinkEvent,
    Received,
    Subscribed,
)
from edgeguard.alerts.messages import Message, encode
from edgeguard.alerts.parse import parse, parse_named
from edgeguard.alerts.topics import Topics, sender, speaker
from edgeguard.client.devices import Devices
from edgeguard.client.news import ConnectionChanged, News, Told, ToldUnknown
from edgeguard.client.times import utc_ns
from edgeguard.clock import Clock

_REMEMBERED = 100_000
"""Alerts whose newest revision is remembered."""
_COMMAND_LIFE_NS = 600 * 10**9
_LONGEST_STEP_MS = 1e13


class Client:
    """Reads the events of a link that subscribes to `topics.up_filter()`; owned by one thread.

    A message is refused, counted and otherwise ignored if it is not strict JSON, does not fit its schema, or
    names another site or device than its topic. On a topic that only a later version knows, a durable message
    is told as unknown and its number counts. An alert is told once per revision, and never again once a newer
    revision of it was told.
    """

    def __init__(
        self,
        link: Link,
        inbox: Inbox[LinkEvent],
        clock: Clock,
        *,
        heartbeat_s: float = 10.0,
        grace_s: float = 30.0,
    ) -> None:
        self.disconnected: str | None = "not connected yet"
        """Why nothing is heard; None while there is a subscription."""
        self.duplicates = 0
        """Alerts that came again, or after a newer revision of themselves."""
        self.refused = 0
        self.last_refusal: str | None = None
        self.devices = Devices(heartbeat_s, grace_s)
        """What is known of each device."""
        self._link = link
        self._inbox = inbox
        self._clock = clock
        self._revisions: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def start(self) -> None:
        """Begin connecting; returns at once."""
        self._link.start()

    def receive(self, timeout_s: float = 1.0) -> list[News]:
        """What is news; waits up to `timeout_s` for something to come. Call it at least every second."""
        news = [one for event in self._inbox.get_all(timeout_s) for one in self._take(event)]
        if self.disconnected is None:
            news += self.devices.look(self._clock.monotonic_ns())
        return news

    def acknowledge(
        self,
        alert: Message,
        by: str,
        *,
        verdict: str | None = None,
        note: str | None = None,
    ) -> str | None:
        """Tell the alert's device that `by` has seen it; `verdict` is `true`, `false_alarm` or None.

        Returns the id that the device's result will carry, or None if there is no connection.
        """
        ack_id = str(uuid4())
        site, device = alert["site"], alert["device"]
        message = ack_message(
            *(site, device, alert["alert_id"]),
            ack_id=ack_id,
            by=by,
            utc_ns=self._clock.utc_ns(),
            verdict=verdict,
            note=note,
        )
        sent = self._link.publish(Topics(site, device).ack, encode(message))
        return None if sent is None else ack_id

    def ask_again(self, site: str, device: str, first: int, last: int, by: str) -> str | None:
        """Ask a device to send its messages `first` to `last` once more, or to say why it cannot.

        Returns the id that the device's result will carry, or None if there is no connection.
        """
        command_id, now_ns = str(uuid4()), self._clock.utc_ns()
        message = command_message(
            *(site, device, "replay"),
            command_id=command_id,
            by=by,
            utc_ns=now_ns,
            expires_utc_ns=now_ns + _COMMAND_LIFE_NS,
            from_seq=first,
            to_seq=last,
        )
        sent = self._link.publish(Topics(site, device).command("replay"), encode(message))
        return None if sent is None else command_id

    def time_ns(self, message: Message, name: str = "at") -> int:
        """The time `message[name]` in nanoseconds since 1970, corrected by the clock's later steps."""
        return utc_ns(message[name]) + self.devices.step_ns(message)

    def stop(self) -> None:
        """Disconnect."""
        self._link.close()

    def __enter__(self) -> Client:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _take(self, event: LinkEvent) -> Iterator[News]:
        match event:
            case Received():
                yield from self._read(event)
            case Subscribed(refused=()):
                self.devices.listen_from(self._clock.monotonic_ns())
                yield from self._note_connection(None)
            case Subscribed(refused=refused):
                yield from self._note_connection(f"the broker refused to subscribe {'; '.join(refused)}")
            case Disconnected(reason=reason):
                yield from self._note_connection(reason)

    def _note_connection(self, reason: str | None) -> Iterator[News]:
        if reason != self.disconnected:
            self.disconnected = reason
            yield ConnectionChanged(reason)

    def _read(self, received: Received) -> Iterator[News]:
        try:
            told = told_by(received) if sender(received.topic) else _unknown(received)
        except ValueError as error:
            self.refused += 1
            self.last_refusal = f"{received.topic}: {error}"[:500]
            return
        news = self.devices.take(told, self._clock.monotonic_ns())
        if news is None:
            return
        yield from news
        if isinstance(told, Told) and told.name == "alert" and not self._is_newest(told.body):
            self.duplicates += 1
        else:
            yield told

    def _is_newest(self, alert: dict[str, Any]) -> bool:
        key = (alert["site"], alert["device"], alert["alert_id"])
        if alert["revision"] <= self._revisions.get(key, 0):
            return False
        self._revisions[key] = alert["revision"]
        self._revisions.move_to_end(key)
        if len(self._revisions) > _REMEMBERED:
            self._revisions.popitem(last=False)
        return True


def told_by(received: Received) -> Told:
    """What a device told: parsed, checked, of the device that its topic names. Raises ValueError."""
    origin = sender(received.topic)
    if origin is None:
        raise ValueError("unknown topic")
    site, device, name = origin
    body = parse(received.body, name)
    _check_origin(body, site, device)
    for key in ("at", "from", "to", "started_at", "opened_at", "observed_at", "closed_at"):
        if body.get(key) is not None:
            utc_ns(body[key])
    if abs(body.get("step_ms", 0)) > _LONGEST_STEP_MS:
        raise ValueError("step_ms is out of this world")
    return Told(name, received.topic, body, received.retained)


def _unknown(received: Received) -> ToldUnknown:
    """A durable message that only a later version knows. Raises ValueError for what does not name itself."""
    origin = speaker(received.topic)
    body = parse_named(received.body) if origin else None
    if origin is None or body is None:
        raise ValueError("unknown topic")
    _check_origin(body, *origin[:2])
    return ToldUnknown(received.topic, body, received.retained)


def _check_origin(body: Message, site: str, device: str) -> None:
    if (body["site"], body["device"]) != (site, device):
        raise ValueError("its site or device is not that of its topic")
