"""The door to paho (with `wire`): one connection to one broker, without memory.

The outbox remembers what must still be told, so paho holds no backlog: at every connect its unacknowledged
messages are dropped, and the owner sends them again.
"""

from __future__ import annotations

import itertools
import logging
import random
import re
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edgeguard.alerts.lasting import LastingClient
from edgeguard.alerts.link import (
    RECEIVE_MAXIMUM,
    Acked,
    Connected,
    Disconnected,
    Endpoint,
    LinkEvent,
    Received,
    Subscribed,
    Tls,
    Will,
)
from edgeguard.alerts.parse import MAX_BYTES
from edgeguard.alerts.tls import check, tls_context
from edgeguard.alerts.wire import ConstantProperties, sever
from edgeguard.errors import ConfigError

log = logging.getLogger(__name__)

_MOST_UNACKNOWLEDGED = 1000
"""A broker that owes so many acknowledgements is left and joined anew."""

TOO_LARGE = 149
_OVERHEAD = 64
"""More than a PUBLISH packet needs beside topic, body and correlation."""
_LARGEST_TAKEN = MAX_BYTES + 65_536
"""The broker keeps larger packets from us (MQTT 5): nobody reads them, and they would fill the memory."""

_PROTOCOLS = {"mqtt5": paho.MQTTv5, "mqtt311": paho.MQTTv311}
_TLS_ALERT = re.compile(r"\[SSL: \w+?_ALERT_(\w+)\]")


class MqttLink:
    """A `Link` over MQTT 5 or 3.1.1; subscribes to `subscriptions` at every connect.

    The brokers that the endpoint names take turns: after each connection or attempt comes the next. A broker
    that owes `most_unacknowledged` answers is left and joined anew (65,535 is all that MQTT allows). Messages
    are said to be of `content_type` (MQTT 5); None: of none in particular. Raises ConfigError for an unknown
    protocol and for TLS files that cannot be used.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        notify: Callable[[LinkEvent], object],
        will: Will | None = None,
        subscriptions: Sequence[str] = (),
        most_unacknowledged: int = _MOST_UNACKNOWLEDGED,
        content_type: str | None = "application/json",
        *,
        check_tls: bool = True,
    ) -> None:
        """Without `check_tls` files for TLS that cannot be used only make each attempt fail."""
        if endpoint.protocol not in _PROTOCOLS:
            raise ConfigError(f"MQTT protocol is {endpoint.protocol!r}; use mqtt5 or mqtt311")
        self._endpoint = endpoint
        self._notify = notify
        self._will = will
        self._subscriptions = [(topic, 1) for topic in subscriptions]
        self._most_unacknowledged = most_unacknowledged
        self._content: dict[str, object] = {"PayloadFormatIndicator": 1}
        if content_type is not None:
            self._content["ContentType"] = content_type
        self._plain = self._properties(PacketTypes.PUBLISH, **self._content)
        """Of every message that answers nobody: to make and pack them costs as much as to send one."""
        if endpoint.tls is not None and check_tls:
            check(endpoint.tls)
        self._tls = None if endpoint.tls is None else _RenewedTls(endpoint.tls)
        self._places = itertools.cycle([(endpoint.host, endpoint.port), *endpoint.fallbacks])
        self._refusal: str | None = None
        self._client: paho.Client | None = None
        self._closing = False
        self._largest: int | None = None
        self._refused_here = itertools.count(-1, -1)

    def start(self) -> None:
        self._closing = False
        self._client = self._new_client()
        self._aim(self._client)
        self._client.loop_start()

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        if self._client is None:
            return None
        if self._largest is not None and _size(topic, body, correlation) > self._largest:
            return self._refuse()
        properties = self._plain
        if correlation is not None:
            properties = self._properties(PacketTypes.PUBLISH, **self._content, CorrelationData=correlation)
        sent = self._client.publish(topic, body, 1, retain, properties)
        if sent.rc == paho.MQTT_ERR_QUEUE_SIZE:
            sever(self._client)
        return sent.mid if sent.rc == paho.MQTT_ERR_SUCCESS else None

    def close(self) -> None:
        self._closing = True
        if self._client is not None:
            self._client.disconnect()

    def _refuse(self) -> int:
        """Answer as the broker would, for it would end the connection instead, again and again."""
        mid = next(self._refused_here)
        self._notify(Acked(mid, TOO_LARGE, f"Packet too large: the broker takes {self._largest} bytes"))
        return mid

    def _aim(self, client: paho.Client) -> None:
        """Let the next attempt be at the next broker."""
        host, port = next(self._places)
        session = self._properties(
            PacketTypes.CONNECT,
            SessionExpiryInterval=self._endpoint.session_expiry_s,
            MaximumPacketSize=_LARGEST_TAKEN,
        )
        client.connect_async(host, port, self._endpoint.keepalive_s, clean_start=False, properties=session)

    def _aim_elsewhere(self, client: paho.Client) -> None:
        if self._endpoint.fallbacks and not self._closing:
            self._aim(client)
            if self._closing:  # by another thread, meanwhile: aiming took that back
                client.disconnect()

    def _new_client(self) -> paho.Client:
        endpoint = self._endpoint
        client = LastingClient(
            CallbackAPIVersion.VERSION2,
            endpoint.client_id,
            protocol=_PROTOCOLS[endpoint.protocol],
            clean_session=None if endpoint.protocol == "mqtt5" else endpoint.session_expiry_s == 0,
        )
        client.username_pw_set(endpoint.username, endpoint.password)
        if self._tls is not None:
            client.tls_set_context(self._tls)  # type: ignore[arg-type]
        if self._will is not None:
            delay = self._properties(PacketTypes.WILLMESSAGE, WillDelayInterval=self._will.delay_s)
            client.will_set(self._will.topic, self._will.body, 1, True, delay)
        client.max_inflight_messages_set(0)
        client.max_queued_messages_set(self._most_unacknowledged)
        _set_reconnect_delay(client, *endpoint.reconnect_s)
        self._set_callbacks(client)
        return client

    def _set_callbacks(self, client: LastingClient) -> None:
        client.on_pre_connect = self._present
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_open = _send_small_packets_at_once
        client.on_log = self._on_log
        client.on_fault = self._on_fault

    def _present(self, client: paho.Client, _data: Any) -> None:
        """Before each attempt. Raises OSError, which paho takes for an attempt that failed."""
        if self._endpoint.read_password is not None:
            client.username_pw_set(self._endpoint.username, self._endpoint.read_password())

    def _tell(self, client: paho.Client, event: LinkEvent) -> None:
        """Hand an event over, unless it comes late, from a client that was closed and replaced."""
        if client is self._client:
            self._notify(event)

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refused: {reason}"
            return
        client.on_log = None
        self._largest = getattr(properties, "MaximumPacketSize", None)
        client.drop_out_messages()
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        self._tell(client, Connected(getattr(properties, "ReceiveMaximum", RECEIVE_MAXIMUM)))

    def _on_connect_fail(self, client: paho.Client, _data: Any) -> None:
        error = sys.exc_info()[1]  # paho calls this while it handles the exception, and does not pass it on
        self._tell(client, Disconnected(_tls_refusal(str(error)) or f"cannot connect: {error}"))
        self._aim_elsewhere(client)

    def _on_disconnect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        why, self._refusal = self._refusal or f"connection ended: {reason}", None
        client.on_log = self._on_log
        self._tell(client, Disconnected(why))
        self._aim_elsewhere(client)

    def _on_log(self, _client: paho.Client, _data: Any, _level: int, text: str) -> None:
        """Until the broker accepts us: with TLS 1.3 paho says only here that it refused our certificate."""
        self._refusal = _tls_refusal(text) or self._refusal

    def _on_subscribe(
        self, client: paho.Client, _data: Any, _mid: int, reasons: Sequence[ReasonCode], _properties: Any
    ) -> None:
        answers = zip(self._subscriptions, reasons, strict=False)
        refused = tuple(f"{topic}: {reason}" for (topic, _), reason in answers if reason.is_failure)
        self._tell(client, Subscribed(refused))

    def _on_publish(
        self, client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._tell(client, Acked(mid, reason.value, str(reason)))

    def _on_fault(self, fault: Exception) -> None:
        self._refusal = f"a fault in the connection: {fault or type(fault).__name__}"

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """A fault here would end the connection, and the broker would send the same message again."""
        try:
            self._tell(client, _received(message))
        except Exception:
            log.exception("mqtt: a message that came in could not be taken, and is left out")

    def _properties(self, packet_type: int, **values: object) -> Properties | None:
        """MQTT 5 properties; None for 3.1.1, which has none."""
        if self._endpoint.protocol != "mqtt5":
            return None
        properties = ConstantProperties(packet_type)  # type: ignore[no-untyped-call]
        for name, value in values.items():
            setattr(properties, name, value)
        return properties


def _received(message: paho.MQTTMessage) -> Received:
    properties = message.properties
    return Received(
        _topic(message),
        bytes(message.payload),
        message.retain,
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
    )


def _topic(message: paho.MQTTMessage) -> str:
    """A broker should let no topic through that is not UTF-8; what stands for one is nobody's."""
    try:
        return message.topic
    except UnicodeDecodeError:
        return "\N{REPLACEMENT CHARACTER}"


def _size(topic: str, body: bytes, correlation: bytes | None) -> int:
    return len(topic.encode()) + len(body) + len(correlation or b"") + _OVERHEAD


def _tls_refusal(text: str) -> str | None:
    """What the broker's TLS alert means, if that is what the text tells of."""
    alert = _TLS_ALERT.search(text)
    return f"the broker refused the TLS connection: {alert[1].replace('_', ' ').lower()}" if alert else None


def _set_reconnect_delay(client: paho.Client, first_s: float, longest_s: float) -> None:
    """With jitter, so that a fleet does not come back as one."""
    jitter = 1 + random.random()  # noqa: S311  no secret
    client.reconnect_delay_set(first_s * jitter, longest_s * jitter / 2)  # type: ignore[arg-type]


class _RenewedTls:
    """What paho takes for an SSLContext: made anew from the files at each connect."""

    check_hostname = True

    def __init__(self, tls: Tls) -> None:
        self._tls = tls

    def wrap_socket(self, connection: socket.socket, **how: Any) -> ssl.SSLSocket:
        return tls_context(self._tls).wrap_socket(connection, **how)


def _send_small_packets_at_once(_client: paho.Client, _data: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
