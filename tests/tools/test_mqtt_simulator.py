"""The small client speaks MQTT 5 as a real broker understands it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from _mqtt_simulator import MqttConnection, PacketCutter, Will, packet
from hypothesis import given
from hypothesis import strategies as st

from tests.support.broker import Broker

packets = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=8)


@given(packets, st.integers(1, 50))
def test_packets_survive_any_cutting(whole: list[tuple[int, bytes]], size: int) -> None:
    stream = b"".join(packet(first, body) for first, body in whole)
    cutter, got = PacketCutter(), []
    for at in range(0, len(stream), size):
        got += cutter.feed(stream[at : at + size])
    assert got == whole


async def connected(
    port: int, name: str, heard: list[tuple[str, bytes]], will: Will | None = None
) -> MqttConnection:
    loop = asyncio.get_running_loop()
    connection = MqttConnection(
        name, f"to/{name}", lambda *message: heard.append(message), will, keepalive_s=2
    )
    await loop.create_connection(lambda: connection, "127.0.0.1", port)
    await asyncio.wait_for(connection.ready, 10)
    return connection


async def until(look: object) -> None:
    for _ in range(1000):
        if look():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 10 s")


async def talk(port: int) -> None:
    heard: list[tuple[str, bytes]] = []
    a, b = await connected(port, "a", heard, Will("to/b", b"a is gone")), await connected(port, "b", heard)
    for number in range(500):  # far more than the broker allows in flight
        await until(lambda: a.room)
        a.publish("to/b", b"%d" % number + b"x" * 500)
    await until(lambda: len(heard) == 500)
    assert [int(body.rstrip(b"x")) for _, body in heard] == list(range(500))
    await asyncio.sleep(3.5)  # a connection that says nothing else lives on by its pings
    b.publish("to/a", b"still there")
    await until(lambda: heard[-1] == ("to/a", b"still there"))
    a.abort()
    await until(lambda: heard[-1] == ("to/b", b"a is gone"))
    b.close()
    await until(lambda: not b.open)


def test_what_one_says_another_hears(tmp_path: Path) -> None:
    with Broker(tmp_path, "allow_anonymous true\nmax_queued_messages 0") as broker:
        asyncio.run(talk(broker.port))


def test_a_broker_that_refuses_says_why(tmp_path: Path) -> None:
    with (
        Broker(tmp_path, "allow_anonymous false") as broker,
        pytest.raises(RuntimeError, match="refused: 0x87"),
    ):
        asyncio.run(connected(broker.port, "a", []))
