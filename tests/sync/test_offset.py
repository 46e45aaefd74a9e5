from __future__ import annotations

import numpy as np
import pytest

from edgeguard.sync.offset import Offset, estimate
from edgeguard.sync.onsets import Onsets
from edgeguard.sync.track import Track
from tests.sync.staged import Staged

SECONDS = 120
STEPS = SECONDS * 20


def offset_of(staged: Staged) -> Offset | None:
    motion, sound, onsets = Track(STEPS), Track(STEPS), Onsets()
    for start_ns, end_ns, energy in staged.motion():
        motion.put(start_ns, end_ns, energy)
    for chunk in staged.chunks():
        for start_ns, end_ns, rise in onsets.accept(chunk):
            sound.put(start_ns, end_ns, rise)
    return estimate(motion.window(STEPS, STEPS), sound.window(STEPS, STEPS), 60)


@pytest.mark.parametrize("offset_ms", range(-800, 801, 200))
def test_the_offset_is_found_within_a_tenth_of_a_second(offset_ms: int) -> None:
    found = [offset_of(Staged(SECONDS, offset_ms, seed)) for seed in range(4)]
    told = [one.offset_ms - offset_ms for one in found if one is not None]
    assert len(told) >= 3
    assert max(map(abs, told)) <= 100


def test_what_has_nothing_to_do_with_each_other_is_hardly_ever_claimed() -> None:
    claims = [offset_of(Staged(SECONDS, 0, seed, related=False)) for seed in range(60)]
    assert sum(claim is not None for claim in claims) <= 5


def test_a_rhythm_tells_nothing() -> None:
    steps = np.arange(STEPS)
    beat = (steps % 20 == 0).astype(float)
    assert estimate(beat * 5, np.roll(beat, 6) * 10, 60) is None


@pytest.mark.parametrize("quiet", [0.0, np.nan])
def test_where_one_is_not_lively_nothing_is_claimed(quiet: float) -> None:
    lively = np.random.default_rng(1).exponential(1.0, STEPS)
    still = np.full(STEPS, quiet)
    assert estimate(still, lively, 60) is None
    assert estimate(lively, still, 60) is None


def test_two_big_moments_are_too_few() -> None:
    motion, sound = np.zeros(STEPS), np.zeros(STEPS)
    motion[[300, 1700]], sound[[310, 1710]] = 9.0, 20.0
    assert estimate(motion, sound, 60) is None
