"""Paho's client, made to read and write in large pieces, to wake once and to pack the same properties once.

Paho reads a packet in three or more calls, writes each by a call of its own, and wakes its thread by another.
Every such call is one to the kernel, and lets go of the interpreter on the way: in a burst that costs more
than the messages.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties

_PIECE = 65_536
_PACKETS_AT_ONCE = 200
"""After so many that came, what waits to go out has its turn."""
_LAST_WORDS_S = 1.0
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """Stands in for a `connection` that does not block; used by one thread.

    What is sent waits for `flush`; `recv` raises what `connection` raises where there is nothing to read.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._pending_below = getattr(connection, "pending", int)
        self._read = b""
        self._at = 0
        self._unsent = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @property
    def unsent(self) -> bool:
        """The connection did not take all that was sent: `flush` again once it can be written to."""
        return bool(self._unsent)

    def pending(self) -> int:
        """Bytes that came and can be read without waiting, at least."""
        return len(self._read) - self._at or int(self._pending_below())

    def recv(self, size: int) -> bytes:
        if self._at == len(self._read):
            self._read, self._at = self._connection.recv(_PIECE), 0
        begin, self._at = self._at, min(self._at + size, len(self._read))
        return self._read[begin : self._at]

    def send(self, data: bytes | bytearray) -> int:
        """All of `data` is taken, or none: BlockingIOError."""
        if len(self._unsent) >= _PIECE:
            self.flush()
            if len(self._unsent) >= _PIECE:
                raise BlockingIOError
        self._unsent += data
        return len(data)

    def flush(self) -> None:
        """Hand over what the connection takes. Raises OSError where it is broken."""
        with contextlib.suppress(*_NOT_NOW):
            while self._unsent:
                del self._unsent[: self._connection.send(self._unsent)]

    def close(self) -> None:
        """With what was sent and is still here, if the other side takes it in time."""
        with contextlib.suppress(OSError):
            if self._unsent:
                self._connection.settimeout(_LAST_WORDS_S)
                self._connection.sendall(self._unsent)
        self._connection.close()


class Bell:
    """Stands in for both ends of the pair of sockets by which paho's thread is woken.

    It is rung once until that is heard, not for each message. It is heard before the queue is emptied, so
    what was put there by whom found it rung already goes out as well.
    """

    def __init__(self, ear: socket.socket, hand: socket.socket) -> None:
        self._ear = ear
        self._hand = hand
        self._rung = False

    def fileno(self) -> int:
        return self._ear.fileno()

    def send(self, data: bytes) -> int:
        if self._rung:
            return len(data)
        self._rung = True
        return self._hand.send(data)

    def recv(self, size: int) -> bytes:
        try:
            return self._ear.recv(size)
        finally:
            self._rung = False

    def close(self) -> None:
        self._ear.close()
        self._hand.close()


class WireClient(paho.Client):
    """Paho's client on a `Wire`, woken by a `Bell`."""

    _wire: Wire | None = None

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        for _ in range(_PACKETS_AT_ONCE):
            result = super().loop_read(max_packets)
            if result or self._wire is None or not self._wire.pending():
                break
        return result

    def loop_write(self) -> MQTTErrorCode:
        result = super().loop_write()
        if self._wire is not None:
            with contextlib.suppress(OSError):  # paho meets the same when it reads next
                self._wire.flush()
        return result

    def want_write(self) -> bool:
        return super().want_write() or (self._wire is not None and self._wire.unsent)

    def _create_socket(self) -> Any:
        """Paho's thread asks for one at each connection; a paho that did not would go on in small pieces."""
        ear, hand = getattr(self, "_sockpairR", None), getattr(self, "_sockpairW", None)
        if isinstance(ear, socket.socket) and isinstance(hand, socket.socket):
            self._sockpairR = self._sockpairW = Bell(ear, hand)  # type: ignore[assignment]
        self._wire = Wire(super()._create_socket())
        return self._wire


class ConstantProperties(Properties):
    """Properties that do not change once they were packed first."""

    def pack(self) -> bytes:
        packed: bytes | None = vars(self).get("packed")
        if packed is None:
            packed = vars(self)["packed"] = super().pack()  # type: ignore[no-untyped-call]
        return packed


def sever(client: paho.Client) -> None:
    """Break the connection, so that paho's thread makes a new one."""
    connection: Any = client.socket()
    if connection is not None:
        with contextlib.suppress(OSError):  # it may be breaking by itself
            connection.shutdown(socket.SHUT_RDWR)
