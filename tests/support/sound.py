"""Sound made at test time, and chunks to carry it."""

from __future__ import annotations

import shutil
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.types import AudioChunk

RATE_HZ = 16_000
START_NS = 5_000_000_000_000
UTC_OFFSET_NS = 1_700_000_000_000_000_000

Sound = NDArray[np.float32]


def silence(duration_s: float) -> Sound:
    return np.zeros(round(duration_s * RATE_HZ), np.float32)


def tone(frequency_hz: float, duration_s: float, amplitude: float = 0.3) -> Sound:
    seconds = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * frequency_hz * seconds)).astype(np.float32)


def join(*parts: Sound) -> Sound:
    return np.concatenate(parts)


def chunks(
    sound: Sound, size: int = RATE_HZ // 10, source: str = "gate", sequence: int = 0, start_ns: int = START_NS
) -> Iterator[AudioChunk]:
    for i, first in enumerate(range(0, len(sound), size)):
        pts_ns = start_ns + first * 1_000_000_000 // RATE_HZ
        samples = sound[first : first + size]
        end_ns = pts_ns + len(samples) * 1_000_000_000 // RATE_HZ
        yield AudioChunk(source, sequence + i, pts_ns, pts_ns + UTC_OFFSET_NS, end_ns, samples, RATE_HZ)


def at(seconds: float) -> int:
    """Monotonic time of a moment in a sound that `chunks` carries."""
    return START_NS + round(seconds * 1e9)


def read_wav(path: Path) -> Sound:
    """Mono sound at 16 kHz, whatever the rate of the file."""
    with wave.open(str(path)) as file:
        rate_hz = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    moments = np.arange(len(sound) * RATE_HZ // rate_hz) * rate_hz / RATE_HZ
    return np.interp(moments, np.arange(len(sound)), sound).astype(np.float32)


def speech(text: str, folder: Path) -> Sound:
    """Somebody says `text`; skips the test without espeak-ng."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("no espeak-ng to speak test sentences")
    path = folder / "speech.wav"
    subprocess.run(["espeak-ng", "-w", str(path), text], check=True)
    return read_wav(path)
