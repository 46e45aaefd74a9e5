from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.runtime.channel import Channel, WhenFull


def test_values_come_out_in_order() -> None:
    channel: Channel[int] = Channel(3)
    for value in (1, 2, 3):
        assert channel.put(value)
    assert [channel.get(0) for _ in range(4)] == [1, 2, 3, None]


def test_the_oldest_gives_way_and_is_counted() -> None:
    channel: Channel[int] = Channel(2)
    for value in range(5):
        assert channel.put(value)
    assert channel.get_all(0) == [3, 4]
    assert channel.drops() == {None: 3}


def test_the_newest_of_a_key_wins_and_keeps_its_place_in_the_row() -> None:
    channel: Channel[tuple[str, int]] = Channel(4, key=lambda item: item[0])
    for item in (("a", 1), ("b", 1), ("a", 2), ("a", 3)):
        channel.put(item)
    assert channel.get_all(0) == [("a", 3), ("b", 1)]
    assert channel.drops() == {"a": 2}


def test_a_refusing_channel_keeps_what_it_has() -> None:
    channel: Channel[int] = Channel(1, WhenFull.REFUSE)
    assert channel.put(1)
    assert not channel.put(2)
    assert channel.get_all(0) == [1]
    assert channel.drops() == {None: 1}


def test_a_waiting_channel_holds_the_sender_until_there_is_room() -> None:
    channel: Channel[int] = Channel(1, WhenFull.WAIT)
    channel.put(1)
    assert not channel.put(2, timeout_s=0.01)
    assert channel.drops() == {}
    sender = threading.Thread(target=channel.put, args=(2,))
    sender.start()
    assert channel.get(1) == 1
    assert channel.get(1) == 2
    sender.join(1)


def test_whoever_waits_is_told_before_a_value_can_be_taken() -> None:
    channel: Channel[int] = Channel(
        2, coming=lambda value: order.append(f"{value} comes, {len(channel)} wait")
    )
    order: list[str] = []
    channel.put(1)
    channel.put(2)
    assert order == ["1 comes, 0 wait", "2 comes, 1 wait"]


def test_closing_wakes_the_receiver_and_refuses_the_sender() -> None:
    channel: Channel[int] = Channel(1)
    got: list[int | None] = [1]
    receiver = threading.Thread(target=lambda: got.append(channel.get(30)))
    receiver.start()
    channel.close()
    receiver.join(5)
    assert got == [1, None]
    assert not channel.put(1)


def test_what_waits_can_be_taken_after_closing() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.close()
    assert channel.get(0) == 1


def test_a_capacity_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Channel(0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())), st.integers(1, 5))
def test_nothing_is_lost_uncounted(items: list[tuple[str, int]], capacity: int) -> None:
    channel: Channel[tuple[str, int]] = Channel(capacity, key=lambda item: item[0])
    for item in items:
        channel.put(item)
    assert len(channel.get_all(0)) + sum(channel.drops().values()) == len(items)


def test_a_batch_is_given_when_enough_wait_or_patience_ends() -> None:
    channel: Channel[int] = Channel(10)
    assert channel.get_batch(4, 2, 0.01, 0.01) == []
    channel.put(1)
    assert channel.get_batch(4, 2, 0.01, 1) == [1]
    for value in range(6):
        channel.put(value)
    assert channel.get_batch(4, 2, 60, 1) == [0, 1, 2, 3]
    assert channel.get_batch(1, 1, 60, 1) == [4]
    channel.close()
    assert channel.get_batch(4, 4, 60, 1) == [5]
    assert channel.get_batch(4, 4, 60, 60) == []


def test_a_batch_waits_for_the_other_cameras() -> None:
    channel: Channel[str] = Channel(10)
    channel.put("gate")
    late = threading.Timer(0.05, channel.put, ["dock"])
    late.start()
    assert channel.get_batch(2, 2, 30, 1) == ["gate", "dock"]
    late.join()
