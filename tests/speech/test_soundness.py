from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.speech.soundness import Fault, FaultLife, Limits, MicrophoneCheck
from edgeguard.types import Phase
from tests.support.sound import RATE_HZ, Sound, at, chunks, join, silence, tone

LIMITS = Limits(after_s=3.0, clear_s=2.0)


def noise(duration_s: float, amplitude: float) -> Sound:
    samples = np.random.default_rng(1).uniform(-amplitude, amplitude, round(duration_s * RATE_HZ))
    return samples.astype(np.float32)


def faults(sound: Sound, limits: Limits = LIMITS) -> list[Fault]:
    check = MicrophoneCheck(limits)
    return [fault for chunk in chunks(sound) for fault in check.accept(chunk)]


def told(found: list[Fault]) -> list[tuple[str, str]]:
    return [(fault.name, fault.phase.value) for fault in found]


def test_digital_silence_is_a_dead_microphone_until_there_is_noise() -> None:
    began, ended = faults(join(noise(2, 0.001), silence(5), noise(4, 0.001)))
    assert told([began, ended]) == [("dead", "began"), ("dead", "ended")]
    assert (began.measure, began.value, began.threshold) == ("variation", 0.0, 0.0)
    assert began.pts_ns == at(5)
    assert ended.pts_ns == at(9)


def test_a_constant_that_is_not_zero_is_dead_as_well() -> None:
    assert told(faults(np.full(4 * RATE_HZ, 0.02, np.float32))) == [("dead", "began")]


def test_a_quiet_room_is_neither_dead_nor_silent() -> None:
    assert faults(noise(60, 0.0006)) == []  # about -70 dBFS, a few steps of 16 bits


def test_a_covered_microphone_is_silent_after_a_while() -> None:
    (began,) = faults(noise(30, 0.00005))
    assert told([began]) == [("silent", "began")]
    assert began.pts_ns == at(18)
    assert began.value < began.threshold == LIMITS.silent_dbfs


def test_clipping_and_its_end() -> None:
    loud = np.clip(3 * tone(440, 5, 1.0), -1, 1)
    began, ended = faults(join(tone(440, 3), loud, tone(440, 4)))
    assert told([began, ended]) == [("clipping", "began"), ("clipping", "ended")]
    assert began.value > 0.5
    assert ended.comparison == "<="


def test_one_loud_bang_is_no_fault() -> None:
    assert faults(join(tone(440, 3), np.clip(3 * tone(440, 1, 1.0), -1, 1), tone(440, 6))) == []


def test_a_sound_that_is_off_centre() -> None:
    (began,) = faults(noise(5, 0.01) + np.float32(0.2))
    assert told([began]) == [("dc_offset", "began")]
    assert began.value == pytest.approx(0.2, abs=0.001)


def test_the_level_and_the_faults_that_last_can_be_read() -> None:
    check = MicrophoneCheck(LIMITS)
    assert check.level_dbfs is None
    for chunk in chunks(join(tone(440, 2, 0.1), silence(3))):
        check.accept(chunk)
        if check.level_dbfs is not None and chunk.end_ns == at(2):
            assert check.level_dbfs == pytest.approx(-23.0, abs=0.2)
    assert (check.level_dbfs, check.faults) == (-120.0, ("dead",))
    assert told(check.finish()) == [("dead", "ended")]
    assert check.faults == ()


@given(st.lists(st.floats(0, 1), max_size=200))
def test_phases_alternate_and_never_chatter(values: list[float]) -> None:
    life = FaultLife("clipping", "clipped_share", 0.5, 0.25, 3_000_000_000, 2_000_000_000, above=True)
    found = [f for i, value in enumerate(values) for f in life.update(value, (i + 1) * 1_000_000_000)]
    phases = [fault.phase for fault in found]
    assert phases == [Phase.BEGAN, Phase.ENDED] * (len(phases) // 2) + [Phase.BEGAN] * (len(phases) % 2)
    times = [fault.pts_ns for fault in found]
    assert all(later - earlier >= 2_000_000_000 for earlier, later in itertools.pairwise(times))
