from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.anchor import Anchor
from edgeguard.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ns=1_000_000_000_000)


def test_the_first_sample_was_taken_when_it_came(clock: ManualClock) -> None:
    times = Anchor(clock, live=True).stamp(777)
    assert (times.pts_ns, times.utc_ns, times.arrived_ns) == (clock.now_ns, clock.utc_ns(), clock.now_ns)


def test_later_samples_keep_their_distance_however_late_they_come(clock: ManualClock) -> None:
    anchor = Anchor(clock, live=True)
    first = anchor.stamp(500)
    clock.advance(0.3)
    second = anchor.stamp(200_000_500)
    assert second.pts_ns - first.pts_ns == pytest.approx(200_000_000, abs=1_000_000)
    assert second.utc_ns - first.utc_ns == second.pts_ns - first.pts_ns
    assert second.arrived_ns - first.arrived_ns == 300_000_000


@pytest.mark.parametrize("jump_ns", [60_000_000_000, -60_000_000_000])
def test_a_live_source_that_jumps_is_anchored_anew_and_a_file_is_not(
    clock: ManualClock, jump_ns: int
) -> None:
    live, file = Anchor(clock, live=True), Anchor(clock, live=False)
    for anchor in (live, file):
        anchor.stamp(100_000_000_000)
    clock.advance(0.2)
    assert live.stamp(100_000_000_000 + jump_ns).pts_ns == clock.now_ns
    assert file.stamp(100_000_000_000 + jump_ns).pts_ns == clock.now_ns - 200_000_000 + jump_ns


def test_a_sample_without_a_time_has_that_of_its_coming(clock: ManualClock) -> None:
    anchor = Anchor(clock, live=True)
    anchor.stamp(0)
    clock.advance(0.5)
    assert anchor.stamp(None).pts_ns == clock.now_ns


def test_a_step_of_utc_is_followed_and_moves_no_other_time(clock: ManualClock) -> None:
    anchor = Anchor(clock, live=True)
    first = anchor.stamp(0)
    clock.utc_offset_ns += 3_600_000_000_000
    clock.advance(0.1)
    second = anchor.stamp(100_000_000)
    assert second.pts_ns - first.pts_ns == 100_000_000
    assert second.utc_ns == clock.utc_ns()


def test_a_camera_whose_clock_drifts_is_followed(clock: ManualClock) -> None:
    anchor = Anchor(clock, live=True)
    for n in range(5 * 3600):
        times = anchor.stamp(round(n * 0.2e9 * 1.0002))
        clock.advance(0.2)
    assert abs(times.pts_ns - times.arrived_ns) < 50_000_000


def test_jitter_does_not_shake_the_times(clock: ManualClock) -> None:
    anchor = Anchor(clock, live=True)
    stamps = []
    for n in range(300):
        late_s = 0.1 if n % 3 == 0 else 0.0
        clock.now_ns = 1_000_000_000_000 + round((n * 0.1 + late_s) * 1e9)
        stamps.append(anchor.stamp(n * 100_000_000).pts_ns)
    gaps = [after - before for before, after in pairwise(stamps)]
    assert all(abs(gap - 100_000_000) < 1_000_000 for gap in gaps)


@given(st.lists(st.tuples(st.integers(0, 10**12), st.floats(0, 5)), min_size=1))
def test_what_a_live_source_says_is_never_far_from_now(samples: list[tuple[int, float]]) -> None:
    clock = ManualClock(now_ns=10**13)
    anchor = Anchor(clock, live=True)
    for running_ns, later_s in samples:
        clock.advance(later_s)
        times = anchor.stamp(running_ns)
        assert abs(times.pts_ns - clock.now_ns) <= 2_000_000_000
        assert times.arrived_ns == clock.now_ns
