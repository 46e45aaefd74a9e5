"""Sound on the scenes' time axis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.synth import Scene
from edgeguard.synth.scenes import SCENES

RATE_HZ = 16_000
HALL = Scene.open("scene://hall")


def level_db(scene: Scene, start_s: float, end_s: float) -> float:
    samples = scene.sound(round(start_s * RATE_HZ), round((end_s - start_s) * RATE_HZ))
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2))))


@given(st.integers(0, 100 * RATE_HZ), st.integers(0, 5000), st.integers(0, 5000))
def test_chunks_join_without_a_seam(start: int, first: int, second: int) -> None:
    parts = [HALL.sound(start, first), HALL.sound(start + first, second)]
    assert np.array_equal(np.concatenate(parts), HALL.sound(start, first + second))


@pytest.mark.parametrize("name", sorted(SCENES))
def test_samples_are_what_they_say(name: str) -> None:
    samples = Scene.open(f"scene://{name}").sound(0, 48 * RATE_HZ)
    assert samples.dtype == np.float32
    assert samples.shape == (48 * RATE_HZ,)
    assert 0.1 < np.abs(samples).max() <= 1


def test_the_same_address_sounds_the_same() -> None:
    assert np.array_equal(HALL.sound(320_000, 48_000), Scene.open("scene://hall").sound(320_000, 48_000))


def test_another_seed_sounds_different() -> None:
    assert not np.array_equal(HALL.sound(0, 1000), Scene.open("scene://hall?seed=2").sound(0, 1000))


def test_the_round_has_no_click_at_its_end() -> None:
    steps = np.abs(np.diff(HALL.sound(48 * RATE_HZ - 2000, 4000)))
    assert steps[1990:2010].max() <= 1.2 * steps[:1900].max()


@pytest.mark.parametrize("rate_hz", [8000, 44_100])
def test_events_are_at_the_same_time_at_every_rate(rate_hz: int) -> None:
    loud = np.abs(HALL.sound(0, 25 * rate_hz, rate_hz)) > 0.1
    assert np.argmax(loud) / rate_hz == pytest.approx(21.0, abs=0.15)


def test_quiet_before_glass_breaks() -> None:
    assert level_db(HALL, 10.0, 20.9) < -55
    assert level_db(HALL, 21.0, 21.5) > -25


def test_the_alarm_beeps_three_times_and_pauses() -> None:
    """ISO 8201: half a second on, half a second off, three times, then one and a half seconds off."""
    beats = [level_db(HALL, 30.05 + n / 2, 30.45 + n / 2) > -25 for n in range(14)]
    assert beats == [True, False] * 3 + [False, False] + [True, False] * 3


def test_the_alarm_has_one_pitch() -> None:
    spectrum = np.abs(np.fft.rfft(HALL.sound(30 * RATE_HZ, RATE_HZ // 2)))
    assert np.argmax(spectrum) * 2 == pytest.approx(3100, abs=2)


def test_a_car_is_loudest_when_it_passes() -> None:
    dock = Scene.open("scene://dock")
    near = level_db(dock, 5.5, 6.5)
    assert near > level_db(dock, 2.5, 3.0) + 10
    assert near > level_db(dock, 20.0, 21.0) + 20
