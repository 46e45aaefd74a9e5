from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.speech.samples import RecentSamples
from tests.support.sound import START_NS, UTC_OFFSET_NS, chunks

RAMP = np.arange(16_000, dtype=np.float32)


def filled(size: int) -> RecentSamples:
    recent = RecentSamples()
    for chunk in chunks(RAMP, size):
        recent.append(chunk)
    return recent


@pytest.mark.parametrize("size", [1600, 512, 333])
def test_numbers_and_times_do_not_depend_on_the_size_of_chunks(size: int) -> None:
    recent = filled(size)
    assert recent.end == 16_000
    assert recent.pts_ns(0) == pytest.approx(START_NS, abs=100)
    assert recent.pts_ns(8000) == pytest.approx(START_NS + 500_000_000, abs=100)
    assert recent.utc_ns(START_NS) == START_NS + UTC_OFFSET_NS


@settings(max_examples=60, deadline=None)
@given(st.integers(-20_000, 40_000))
def test_a_number_survives_the_way_through_time(number: int) -> None:
    recent = filled(1600)
    assert recent.number(recent.pts_ns(number)) == number


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 16_000), st.integers(0, 16_000), st.integers(0, 20_000))
def test_taking_gives_what_is_still_held(start: int, stop: int, forgotten: int) -> None:
    recent = filled(1600)
    recent.forget(forgotten)
    np.testing.assert_array_equal(recent.take(start, stop), RAMP[max(start, forgotten) : stop])


def test_times_follow_a_source_whose_clock_drifts() -> None:
    recent = RecentSamples()
    for chunk in chunks(RAMP):
        recent.append(replace(chunk, pts_ns=chunk.pts_ns + chunk.sequence * 1_000_000))
    assert recent.pts_ns(16_000) == pytest.approx(START_NS + 1_009_000_000, abs=100)


def test_another_rate_is_refused_with_the_way_out() -> None:
    chunk = replace(next(chunks(RAMP)), rate_hz=44_100)
    with pytest.raises(ValueError, match="gate delivers 44100 Hz, expected 16000 Hz: resample"):
        RecentSamples().append(chunk)
