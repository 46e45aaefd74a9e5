from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.capture import EncodedRing
from edgeguard.types import Packet

SECOND = 10**9


def packet(at_s: float, *, keyframe: bool = False, size: int = 100) -> Packet:
    at_ns = round(at_s * SECOND)
    return Packet(at_ns, at_ns, at_ns, size, keyframe, buffer=None)


def filled(seconds: int, ring: EncodedRing, keyframe_every: int = 2) -> EncodedRing:
    for number in range(seconds * 10):
        ring.put(packet(number / 10, keyframe=number % (10 * keyframe_every) == 0))
    return ring


def test_it_holds_the_seconds_asked_for_from_a_keyframe_on() -> None:
    ring = filled(30, EncodedRing(10**6, 5))
    assert 5 <= ring.seconds < 7
    assert ring.since(0)[0].keyframe
    assert ring.bytes == sum(one.size for one in ring.since(0))


def test_bytes_count_more_than_seconds() -> None:
    ring = filled(30, EncodedRing(4500, 60))
    assert ring.bytes <= 4500
    assert 2 <= ring.seconds <= 4.5


def test_what_comes_before_the_first_keyframe_is_of_no_use() -> None:
    ring = EncodedRing(10**6, 5)
    ring.put(packet(0))
    ring.put(packet(1, keyframe=True))
    ring.put(packet(2))
    assert (ring.dropped, len(ring)) == (1, 2)


def test_a_group_larger_than_the_ring_is_given_up_as_a_whole() -> None:
    ring = EncodedRing(1000, 60)
    ring.put(packet(0, keyframe=True))
    for number in range(1, 12):
        ring.put(packet(number / 10))
    assert (len(ring), ring.bytes, ring.dropped) == (0, 0, 12)
    ring.put(packet(2, keyframe=True))
    assert len(ring) == 1


def test_the_decoder_can_begin_again_at_the_last_keyframe_or_an_earlier_one() -> None:
    ring = filled(7, EncodedRing(10**6, 60))
    assert [one.arrived_ns / SECOND for one in ring.since(7 * SECOND)][:2] == [6.0, 6.1]
    assert ring.since(round(4.5 * SECOND))[0].arrived_ns == 4 * SECOND
    assert ring.since(-1)[0].arrived_ns == 0


def test_a_ring_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        EncodedRing(0, 5)


@given(
    st.lists(st.tuples(st.floats(-2, 5), st.booleans(), st.integers(0, 300))),
    st.integers(1, 1000),
    st.floats(0.1, 10),
)
def test_it_is_bounded_and_begins_at_a_keyframe_whatever_comes(
    steps: list[tuple[float, bool, int]], max_bytes: int, max_s: float
) -> None:
    ring, at_s, put = EncodedRing(max_bytes, max_s), 100.0, []
    for step_s, keyframe, size in steps:
        at_s += step_s
        put.append(packet(at_s, keyframe=keyframe, size=size))
        ring.put(put[-1])
        kept = ring.since(-(10**12))
        assert ring.bytes == sum(one.size for one in kept) <= max_bytes
        assert not kept or kept[0].keyframe
        assert kept == put[len(put) - len(kept) :]
