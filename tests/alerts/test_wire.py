"""What stands between paho and the kernel, on real sockets; `test_delivery.py` has real brokers."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgeguard.alerts.wire import Bell, ConstantProperties, Wire

Pair = tuple[Wire, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.settimeout(5)
    with near, far:
        yield Wire(near), far


def test_what_came_at_once_is_read_in_pieces(pair: Pair) -> None:
    wire, far = pair
    far.sendall(b"abcdef")
    assert wire.recv(1) == b"a"
    assert wire.pending() == 5
    assert wire.recv(3) == b"bcd"
    assert wire.recv(100) == b"ef"
    assert wire.pending() == 0
    with pytest.raises(BlockingIOError):
        wire.recv(1)


def test_the_end_is_told_after_all_that_came_before(pair: Pair) -> None:
    wire, far = pair
    far.sendall(b"ab")
    far.close()
    assert [wire.recv(1), wire.recv(1), wire.recv(1)] == [b"a", b"b", b""]


def test_what_is_sent_goes_out_at_once_when_flushed(pair: Pair) -> None:
    wire, far = pair
    assert (wire.send(b"ab"), wire.send(bytearray(b"cd"))) == (2, 2)
    assert wire.unsent
    wire.flush()
    assert not wire.unsent
    assert far.recv(100) == b"abcd"


def test_a_far_side_that_does_not_read_stops_it_and_nothing_is_lost(pair: Pair) -> None:
    wire, far = pair
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sent += wire.send(b"x" * 50_000)
    assert wire.unsent
    got = 0
    while got < sent:
        got += len(far.recv(1 << 20))
        wire.flush()
    assert (got, wire.unsent) == (sent, False)


def test_what_is_unsent_goes_out_before_it_closes(pair: Pair) -> None:
    wire, far = pair
    wire.send(b"goodbye")
    wire.close()
    assert (far.recv(100), far.recv(100)) == (b"goodbye", b"")


def test_a_broken_connection_is_told_and_can_be_closed(pair: Pair) -> None:
    wire, far = pair
    far.close()
    wire.send(b"hello")
    with pytest.raises(OSError, match="pipe"):
        wire.flush()
    wire.close()


@given(st.binary(max_size=2000), st.lists(st.integers(1, 700), min_size=1))
def test_however_it_is_read_it_is_what_was_sent(body: bytes, sizes: list[int]) -> None:
    near, far = socket.socketpair()
    with near, far:
        wire = Wire(near)
        far.sendall(body)
        far.shutdown(socket.SHUT_WR)
        pieces = [wire.recv(size) for size in sizes]
        while rest := wire.recv(100):
            pieces.append(rest)
    assert b"".join(pieces) == body


def test_a_bell_is_rung_once_until_it_is_heard() -> None:
    bell = Bell(*socket.socketpair())
    try:
        for _ in range(3):
            assert bell.send(b"\0") == 1
        assert bell.recv(10_000) == b"\0"
        assert select.select([bell], [], [], 0) == ([], [], [])
        bell.send(b"\0")
        assert select.select([bell], [], [], 5)[0] == [bell]
    finally:
        bell.close()


def test_constant_properties_are_packed_as_others_are() -> None:
    made = []
    for kind in (Properties, ConstantProperties):
        properties = kind(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.PayloadFormatIndicator = 1
        properties.ContentType = "application/json"
        made += [properties.pack() for _ in range(2)]  # type: ignore[no-untyped-call]
    assert len(set(made)) == 1
