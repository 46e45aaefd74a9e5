from __future__ import annotations

import numpy as np

from edgeguard.sync.onsets import Onsets
from edgeguard.sync.track import STEP_NS, Track
from edgeguard.types import AudioChunk


def test_values_lie_where_they_were_measured_and_gaps_are_gaps() -> None:
    track = Track(10)
    track.put(0, 2 * STEP_NS, 1.0)
    track.put(4 * STEP_NS, 5 * STEP_NS, 2.0)
    np.testing.assert_equal(track.window(6, 6), [1, 1, np.nan, np.nan, 2, np.nan])
    track.put(12 * STEP_NS, 13 * STEP_NS, 3.0)
    np.testing.assert_equal(track.window(13, 10), [np.nan, 2, *[np.nan] * 7, 3])
    assert track.end == 13


def test_what_comes_too_late_is_ignored_and_a_new_clock_begins_anew() -> None:
    track = Track(10)
    track.put(20 * STEP_NS, 21 * STEP_NS, 1.0)
    track.put(5 * STEP_NS, 6 * STEP_NS, 9.0)
    np.testing.assert_equal(track.window(21, 10), [*[np.nan] * 9, 1])
    track.put(900 * STEP_NS, 901 * STEP_NS, 2.0)
    np.testing.assert_equal(track.window(901, 3), [np.nan, np.nan, 2])
    track.put(0, STEP_NS, 4.0)
    np.testing.assert_equal(track.window(1, 1), [4])


def chunk_of(samples: np.ndarray[tuple[int], np.dtype[np.float32]], number: int, at_ns: int) -> AudioChunk:
    return AudioChunk("mic", number, at_ns, at_ns, at_ns, samples, 16_000)


def test_an_onset_is_the_hop_that_is_louder_than_those_before_whatever_the_chunks() -> None:
    random = np.random.default_rng(3)
    samples = random.normal(0, 0.001, 16_000).astype(np.float32)
    samples[8000:12_000] += random.normal(0, 0.1, 4000).astype(np.float32)
    for size in (1600, 1000, 16_000):
        onsets, found = Onsets(), []
        for start in range(0, 16_000, size):
            at_ns = start * 62_500
            found += [*onsets.accept(chunk_of(samples[start : start + size], start // size, at_ns))]
        assert [start_ns for start_ns, _, rise in found if rise] == [500_000_000]
        assert max(rise for _, _, rise in found) == 20


def test_after_a_hole_nothing_is_compared_with_what_was_before() -> None:
    onsets = Onsets()
    loud = np.random.default_rng(3).normal(0, 0.1, 1600).astype(np.float32)
    assert not any(rise for *_, rise in onsets.accept(chunk_of(loud * 0.01, 0, 0)))
    assert not any(rise for *_, rise in onsets.accept(chunk_of(loud, 5, 500_000_000)))
