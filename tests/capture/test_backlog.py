from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.capture.backlog import Backlog
from edgeguard.capture.feed import Stream
from edgeguard.errors import SourceError
from edgeguard.types import Packet

SECOND = 10**9
STREAM = cast(Stream, object())


def packet(number: int, *, keyframe: bool = False) -> Packet:
    return Packet(number, number, number, 100, keyframe, buffer=None)


def taken(backlog: Backlog, now_ns: int) -> list[int]:
    numbers = []
    while (one := backlog.take(now_ns)) is not None:
        numbers.append(one[0].arrived_ns)
    return numbers


def filled(live: bool) -> Backlog:
    backlog = Backlog(live)
    for number in range(10):
        backlog.add([packet(number, keyframe=number in (0, 6))], STREAM, 0)
    return backlog


def test_the_order_is_kept_as_long_as_decoding_keeps_up() -> None:
    assert taken(filled(live=True), 2 * SECOND) == list(range(10))


def test_a_live_camera_is_caught_up_with_at_the_last_keyframe() -> None:
    backlog = filled(live=True)
    assert taken(backlog, 4 * SECOND) == [6, 7, 8, 9]
    assert backlog.skipped == 6


def test_one_that_cannot_be_caught_up_with_is_given_up() -> None:
    backlog = Backlog(live=True)
    for number in range(40):
        backlog.add([packet(number, keyframe=number == 0)], STREAM, number * SECOND)
    assert backlog.take(29 * SECOND) is not None
    with pytest.raises(SourceError, match="no keyframe") as caught:
        backlog.take(40 * SECOND)
    assert caught.value.cause == "undecodable"


def test_a_file_loses_nothing() -> None:
    backlog = filled(live=False)
    assert taken(backlog, 60 * SECOND) == list(range(10))
    assert backlog.skipped == 0


def test_what_waited_for_a_lost_connection_is_forgotten() -> None:
    backlog = filled(live=True)
    backlog.clear()
    assert taken(backlog, 0) == []


@given(st.lists(st.tuples(st.integers(0, 2 * SECOND), st.booleans(), st.booleans()), max_size=15))
def test_what_is_skipped_ends_at_a_keyframe(steps: list[tuple[int, bool, bool]]) -> None:
    backlog, now_ns = Backlog(live=True), 0
    got: list[Any] = []
    for number, (step_ns, keyframe, takes) in enumerate(steps):
        now_ns += step_ns
        backlog.add([packet(number, keyframe=keyframe)], STREAM, now_ns)
        if takes and (one := backlog.take(now_ns)) is not None:
            got.append(one[0])
    for before, after in pairwise(got):
        assert after.arrived_ns == before.arrived_ns + 1 or after.keyframe
    assert len(got) + len(backlog) + backlog.skipped == len(steps)
