from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.audio.source import CHUNK_SAMPLES, RATE_HZ, Gatherer


@given(st.lists(st.integers(1, 4000), max_size=30))
def test_every_sample_comes_out_once_in_order_and_on_time(portions: list[int]) -> None:
    gatherer = Gatherer()
    given_so_far = 0
    expected = 0
    for portion in portions:
        samples = np.arange(given_so_far, given_so_far + portion, dtype=np.float32)
        gatherer.add(samples, given_so_far * 1_000_000_000 // RATE_HZ)
        given_so_far += portion
        while (taken := gatherer.take()) is not None:
            chunk, start_ns = taken
            assert chunk[0] == expected
            assert len(chunk) == CHUNK_SAMPLES
            assert abs((start_ns or 0) - expected * 1_000_000_000 // RATE_HZ) <= 1000
            expected += CHUNK_SAMPLES
    assert given_so_far - expected < CHUNK_SAMPLES


def test_a_hole_in_time_drops_what_waits_before_it() -> None:
    gatherer = Gatherer()
    gatherer.add(np.zeros(1000, np.float32), 0)
    gatherer.add(np.ones(1600, np.float32), 5_000_000_000)
    taken = gatherer.take()
    assert taken is not None
    assert taken[1] == 5_000_000_000
    assert taken[0].all()
