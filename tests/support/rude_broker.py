"""A broker that accepts everybody, answers nothing else and says what no decent broker says."""

from __future__ import annotations

import socket
import struct
import threading

_ACCEPTED = b"\x20\x03\x00\x00\x00"


class RudeBroker:
    """At each connection it sends `words` once it was subscribed to; speaks MQTT 5 on loopback."""

    def __init__(self, words: bytes) -> None:
        self.connections = 0
        self._words = words
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> RudeBroker:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(4096)
                connection.sendall(_ACCEPTED)
                connection.recv(4096)
                connection.sendall(self._words)
                while connection.recv(4096):
                    pass
            except OSError:
                return


def publication(topic: bytes, body: bytes = b"x") -> bytes:
    """A PUBLISH at QoS 1."""
    content = struct.pack("!H", len(topic)) + topic + b"\x00\x01" + b"\x00" + body
    return bytes([0x32, len(content)]) + content
