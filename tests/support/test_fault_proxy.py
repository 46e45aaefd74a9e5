"""The proxy does what it says, or the tests that use it prove nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.broker import Broker
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import wait_for


@pytest.fixture
def echo() -> Iterator[int]:
    """A port that says back what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _echo(server: socket.socket) -> None:
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_say_back, args=(peer,), daemon=True).start()


def _say_back(peer: socket.socket) -> None:
    with peer:
        try:
            while data := peer.recv(4096):
                peer.sendall(data)
        except OSError:
            return


PING = b"\xc0\x00"
"""A whole packet: what comes back is cut into packets."""


def call(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def answer(client: socket.socket, data: bytes = PING) -> float:
    """How long it takes until `data` came back (s)."""
    begin = time.monotonic()
    client.sendall(data)
    got = b""
    while len(got) < len(data):
        more = client.recv(len(data))
        assert more, "the connection ended"
        got += more
    assert got == data
    return time.monotonic() - begin


def test_it_passes_on_what_it_is_told(echo: int) -> None:
    with FaultProxy(echo) as proxy, call(proxy.port) as client:
        answer(client)
        answer(client, PING * 50_000)
        assert proxy.connections == 1


def test_latency_and_a_slow_drip(echo: int) -> None:
    with FaultProxy(echo) as proxy, call(proxy.port) as client:
        proxy.latency_s = 0.1
        assert answer(client) >= 0.2
        proxy.latency_s = 0
        proxy.bytes_per_s = 4000
        assert answer(client, PING * 1000) >= 0.4


def test_a_black_hole_keeps_everything_open(echo: int) -> None:
    with FaultProxy(echo) as proxy, call(proxy.port) as client:
        answer(client)
        proxy.swallow = True
        with call(proxy.port) as newcomer:
            for one in (client, newcomer):
                one.sendall(PING)
                one.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    one.recv(1)
        proxy.swallow = False
        client.settimeout(5)
        assert client.recv(2) == PING


def test_resets_and_refusals(echo: int) -> None:
    with FaultProxy(echo) as proxy, call(proxy.port) as client:
        answer(client)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        proxy.refuse = True
        with pytest.raises(ConnectionResetError), call(proxy.port) as newcomer:
            newcomer.recv(1)
        proxy.refuse = False
        with call(proxy.port) as again:
            answer(again)


def test_a_half_closed_connection(echo: int) -> None:
    with FaultProxy(echo) as proxy, call(proxy.port) as client:
        answer(client)
        proxy.half_close()
        assert client.recv(1) == b""


def test_a_target_that_is_not_there_is_a_reset(echo: int) -> None:
    with FaultProxy(1) as proxy, pytest.raises(ConnectionResetError), call(proxy.port) as client:
        client.recv(1)


def test_single_messages_are_lost_behind_the_brokers_back(tmp_path: Path) -> None:
    heard: list[str] = []
    with Broker(tmp_path) as broker, FaultProxy(broker.port) as proxy:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_message = lambda _client, _data, message: heard.append(message.topic)
        client.connect("127.0.0.1", proxy.port)
        client.subscribe("#", 1)
        client.loop_start()
        proxy.loses = lambda topic: topic.startswith("lost/")
        for number in range(100):  # far more than the broker sends without an acknowledgement
            client.publish(f"lost/{number}", b"x" * 10, 1)
        client.publish("kept", b"x", 1)
        wait_for(lambda: heard, "what is kept")
        assert (heard, proxy.lost) == (["kept"], 100)
        client.disconnect()
        client.loop_stop()
