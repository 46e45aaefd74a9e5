"""Real pictures and real sounds, which were not recorded together: unrelated, and laid upon each other."""

from __future__ import annotations

import wave
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.sync.offset import estimate
from edgeguard.sync.onsets import Onsets
from edgeguard.sync.track import Track
from edgeguard.types import AudioChunk
from edgeguard.vision.change import Change
from tests.vision.test_sanity import frame_of

STEPS, SECONDS = 2400, 120
Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def motion(mirror: Path) -> NDArray[np.float64]:
    """Of people who walk through a hall, five pictures a second."""
    video = cv2.VideoCapture(str(mirror / "data/video/one-by-one-person-detection.mp4"))
    change, track = Change(), Track(STEPS)
    for number in range(SECONDS * 10):
        good, picture = video.read()
        assert good
        if number % 2 == 0 and (moved := change.update(frame_of(picture.astype(np.float32), number / 10))):
            track.put(*moved)
    return track.window(STEPS, STEPS)


@pytest.fixture(scope="module")
def sounds(mirror: Path) -> list[Samples]:
    """A second of each that is at 16 kHz."""
    found = []
    for path in sorted((mirror / "data/audio").glob("*/*.wav")):
        with wave.open(str(path)) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2):
                raw = np.frombuffer(file.readframes(16_000), np.int16)
                found.append((raw / 32_768).astype(np.float32))
    return found


def onsets_of(samples: Samples) -> NDArray[np.float64]:
    track, onsets = Track(STEPS), Onsets()
    for number in range(SECONDS * 10):
        at_ns = number * 100_000_000
        part = samples[number * 1600 : (number + 1) * 1600]
        for step in onsets.accept(AudioChunk("mic", number, at_ns, at_ns, at_ns, part, 16_000)):
            track.put(*step)
    return track.window(STEPS, STEPS)


def laid_at(seconds: list[float], sounds: list[Samples]) -> Samples:
    random = np.random.default_rng(1)
    samples = random.normal(0, 0.001, SECONDS * 16_000).astype(np.float32)
    for number, at_s in enumerate(seconds):
        first, sound = int(at_s * 16_000), sounds[number % len(sounds)]
        if 0 <= first < len(samples) - len(sound):
            samples[first : first + len(sound)] += sound
    return samples


@pytest.mark.parametrize("offset_ms", [-800, -400, 0, 400, 800])
def test_sounds_that_follow_what_begins_to_move_tell_the_offset(
    motion: NDArray[np.float64], sounds: list[Samples], offset_ms: int
) -> None:
    level = np.nan_to_num(motion)
    moving = level > 3 * np.median(level)
    starts = (np.flatnonzero(moving[1:] & ~moving[:-1]) + 1) / 20
    found = estimate(motion, onsets_of(laid_at([at_s + offset_ms / 1000 for at_s in starts], sounds)), 60)
    assert found is not None
    assert abs(found.offset_ms - offset_ms) <= 100


def test_sounds_of_another_place_tell_none(motion: NDArray[np.float64], sounds: list[Samples]) -> None:
    random = np.random.default_rng(7)
    heard = [onsets_of(laid_at(sorted(random.uniform(0, SECONDS, 25)), sounds)) for _ in range(12)]
    assert sum(estimate(motion, one, 60) is not None for one in heard) <= 1
