"""An MQTT 5 or 3.1.1 client without threads, small enough that thousands fit into one process.

It knows what a device needs: a last will, one subscription, QoS 1 both ways, keepalive. What the broker
refuses ends the connection with the reason; the owner decides when to try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP, DISCONNECT = 2, 3, 4, 9, 13, 14
MQTT311, MQTT5 = 4, 5
"""As CONNECT calls them."""
_CONNECT, _PUBLISH_QOS1, _PUBACK, _SUBSCRIBE, _PINGREQ, _DISCONNECT = 0x10, 0x32, 0x40, 0x82, 0xC0, 0xE0
_RECEIVE_MAXIMUM = 0x21
_BYTES_OF_PROPERTY = {0x11: 4, 0x27: 4, 0x13: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x28: 1, 0x29: 1, 0x2A: 1}
"""Of what may stand in a CONNACK; every other is a string with its length before it."""
_JSON = b"\x01\x01\x03" + len(b"application/json").to_bytes(2, "big") + b"application/json"
"""Payload format and content type, as the product sends them."""


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    body: bytes


class MqttConnection(asyncio.Protocol):
    """One connection: connects, subscribes, and then `ready` is done, with a RuntimeError if it was refused.

    `on_message(topic, body)` is called for what comes in, after it was acknowledged to the broker.
    """

    def __init__(
        self,
        client_id: str,
        topic_filter: str,
        on_message: Callable[[str, bytes], object],
        will: Will | None = None,
        keepalive_s: int = 60,
        level: int = MQTT5,
    ) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.open = False
        self._hello = _connect(client_id, will, keepalive_s, level) + _subscribe(topic_filter, level)
        self._level = level
        self._on_message = on_message
        self._keepalive_s = keepalive_s
        self._cutter = PacketCutter()
        self._unacked: set[int] = set()
        self._receive_maximum = 65_535
        self._last_id = 1
        self._transport: asyncio.Transport | None = None
        self._ping: asyncio.TimerHandle | None = None

    @property
    def room(self) -> bool:
        """The broker would take one more message."""
        return self.open and len(self._unacked) < self._receive_maximum

    def publish(self, topic: str, body: bytes, *, retain: bool = False) -> None:
        """Send at QoS 1; only where there is `room`."""
        assert self._transport is not None
        self._last_id = self._last_id % 65_535 + 1
        self._unacked.add(self._last_id)
        properties = _varint(len(_JSON)) + _JSON if self._level == MQTT5 else b""
        parts = (_string(topic), self._last_id.to_bytes(2, "big"), properties, body)
        self._transport.write(packet(_PUBLISH_QOS1 | retain, *parts))

    def abort(self) -> None:
        """Vanish without a word, so that the broker tells the will."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Say goodbye, so that the broker does not."""
        if self._transport is not None:
            self._transport.write(packet(_DISCONNECT))
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._hello)
        self._keep_alive()

    def data_received(self, data: bytes) -> None:
        for first, body in self._cutter.feed(data):
            self._take(first, body)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._ping is not None:
            self._ping.cancel()
        self._refuse(f"the connection ended: {exc or 'closed by the broker'}")

    def _take(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == PUBACK:
            self._unacked.discard(int.from_bytes(body[:2], "big"))
        elif kind == PUBLISH:
            self._take_message(first, body)
        elif kind == CONNACK:
            self._take_answer(body)
        elif kind == SUBACK:
            self._subscribed(body[-1])
        elif kind == DISCONNECT:
            self._refuse(f"the broker ended the connection: {body[:1].hex() or '00'}")

    def _take_message(self, first: int, body: bytes) -> None:
        assert self._transport is not None
        topic, packet_id, at = publish_head(first, body)
        if packet_id is not None:
            self._transport.write(packet(_PUBACK, packet_id))
        length, at = _read_varint(body, at) if self._level == MQTT5 else (0, at)
        self._on_message(topic, body[at + length :])

    def _take_answer(self, body: bytes) -> None:
        if body[1]:
            self._refuse(f"the broker refused: {body[1]:#x}")
        elif self._level == MQTT5:
            self._receive_maximum = _receive_maximum(body)

    def _subscribed(self, reason: int) -> None:
        if reason >= 0x80:
            self._refuse(f"the broker refused the subscription: {reason:#x}")
        elif not self.ready.done():
            self.open = True
            self.ready.set_result(None)

    def _refuse(self, why: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(why))

    def _keep_alive(self) -> None:
        assert self._transport is not None
        if self.open:
            self._transport.write(packet(_PINGREQ))
        wait_s = self._keepalive_s * 0.7
        self._ping = asyncio.get_running_loop().call_later(wait_s, self._keep_alive)


class PacketCutter:
    """Cuts a stream of bytes into MQTT packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(first byte, body) of each packet that is complete now."""
        self._rest += data
        at = 0
        while (cut := _cut(self._rest, at)) is not None:
            first, (start, at) = self._rest[at], cut
            yield first, self._rest[start:at]
        self._rest = self._rest[at:]


def publish_head(first: int, body: bytes) -> tuple[str, bytes | None, int]:
    """Topic, packet identifier (None at QoS 0) and where the properties begin, of a PUBLISH."""
    at = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:at].decode()
    return (topic, body[at : at + 2], at + 2) if first & 0x06 else (topic, None, at)


def packet(first: int, *parts: bytes) -> bytes:
    """A whole packet, its length told."""
    body = b"".join(parts)
    return bytes((first,)) + _varint(len(body)) + body


def _cut(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends; None while it is incomplete."""
    length = shift = 0
    for start in range(at + 1, min(at + 5, len(data))):
        length |= (data[start] & 0x7F) << shift
        shift += 7
        if data[start] < 0x80:
            end = start + 1 + length
            return (start + 1, end) if end <= len(data) else None
    return None


def _connect(client_id: str, will: Will | None, keepalive_s: int, level: int) -> bytes:
    flags = 0x02 if will is None else 0x02 | 0x04 | 0x08 | 0x20  # clean start; will: QoS 1, retained
    none = _none(level)
    parts = [_string("MQTT"), bytes((level, flags)), keepalive_s.to_bytes(2, "big"), none, _string(client_id)]
    if will is not None:
        parts += [none, _string(will.topic), len(will.body).to_bytes(2, "big"), will.body]
    return packet(_CONNECT, *parts)


def _subscribe(topic_filter: str, level: int) -> bytes:
    return packet(_SUBSCRIBE, b"\x00\x01", _none(level), _string(topic_filter), b"\x01")


def _none(level: int) -> bytes:
    """No properties."""
    return b"\x00" if level == MQTT5 else b""


def _receive_maximum(connack: bytes) -> int:
    length, at = _read_varint(connack, 2)
    end = at + length
    while at < end:
        value = int.from_bytes(connack[at + 1 : at + 3], "big")
        if connack[at] == _RECEIVE_MAXIMUM:
            return value
        at += 1 + _BYTES_OF_PROPERTY.get(connack[at], 2 + value)
    return 65_535


def _string(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*digits, number))


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where it ends."""
    number = shift = 0
    while data[at] >= 0x80:
        number |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return number | data[at] << shift, at + 1
