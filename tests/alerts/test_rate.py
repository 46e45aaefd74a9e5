from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.rate import TokenBucket
from edgeguard.clock import ManualClock


def test_a_burst_and_then_a_steady_pace() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, per_s=2, burst=3)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.advance(0.5)
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.advance(3600)
    assert sum(bucket.take() for _ in range(10)) == 3


def test_a_step_of_the_clock_fills_nothing() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, per_s=1, burst=1)
    assert bucket.take()
    clock.utc_offset_ns += 3600 * 10**9
    assert not bucket.take()


@given(st.lists(st.floats(0, 5), max_size=200))
def test_never_more_than_the_burst_and_the_pace_allow(pauses: list[float]) -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, per_s=2, burst=5)
    taken = 0
    for pause in pauses:
        clock.advance(pause)
        taken += bucket.take()
    assert taken <= 5 + 2 * clock.now_ns / 1e9 + 1e-6
