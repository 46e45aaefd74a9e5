"""Sounds made from numbers: the tone of a room, a smoke alarm, glass, an engine; and a synthetic voice."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
"""(n,), about -1..1."""

_SPOKEN_HZ = 16_000

SHARDS = 120
ROOM = 0.2
"""How loud the room answers breaking glass; without it, a lone late shard sounds like a telephone."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One kind of sound."""

    name: str
    duration_s: float
    make: Callable[[np.random.Generator, float, int], Samples]
    """From randomness, duration (s) and rate (Hz)."""
    kind: str = "sound"
    """`sound` or `speech`."""


def tone(rng: np.random.Generator, count: int, rate_hz: int, level_db: float) -> Samples:
    """The steady noise of a place: falls with frequency, and loops without a seam."""
    hz = np.fft.rfftfreq(count, 1 / rate_hz)
    level = np.where(hz > 30, 1 / np.maximum(hz, 30), 0) / (1 + (hz / 6000) ** 4)
    return _noise(rng, level, count) * float(10 ** (level_db / 20))


def smoke_alarm(rng: np.random.Generator, duration_s: float, rate_hz: int) -> Samples:
    """ISO 8201 temporal-three: half a second on and off, three times, then a pause; a horn of 3100 Hz."""
    t = _times(duration_s, rate_hz)
    cycle = t % 4.0
    beat = cycle % 1.0
    swell = np.clip(np.minimum(beat, 0.5 - beat) / 0.03, 0, 1) * (cycle < 3.0)
    return np.asarray(0.4 * swell * np.sin(2 * np.pi * 3100 * t + rng.uniform(0, 2 * np.pi)))


def glass(rng: np.random.Generator, duration_s: float, rate_hz: int) -> Samples:
    """A pane breaks: shards ring out of tune, fall one after another, and the room answers."""
    t = _times(duration_s, rate_hz)
    shards = np.zeros(len(t))
    for start_s in np.minimum(rng.gamma(1.3, 0.1, SHARDS), duration_s / 2).tolist():
        start = int(start_s * rate_hz)
        shard = _shard(rng, t[: int(0.25 * rate_hz)], rate_hz)
        shards[start : start + len(shard)] += np.exp(-start_s / 0.25) * rng.uniform(0.2, 1) * shard
    room = rng.standard_normal(len(t)) * np.exp(-t / 0.1) / np.sqrt(0.05 * rate_hz)
    size = 2 * len(t)
    answer = np.fft.irfft(np.fft.rfft(shards, size) * np.fft.rfft(room, size), size)[: len(t)]
    sound = (shards + ROOM * answer) * np.clip((duration_s - t) / 0.3, 0, 1)
    return np.asarray(0.8 * sound / np.abs(sound).max())


def _shard(rng: np.random.Generator, t: Samples, rate_hz: int) -> Samples:
    """Partials of a struck plate, each with its own decay, and the click of the blow."""
    shard = 0.25 * rng.standard_normal(len(t)) * np.exp(-t / 0.004)
    lowest_hz = rng.uniform(1800, 7000)
    for ratio in (1.0, 1.47, 2.09, 2.56, 2.9):
        hz = lowest_hz * ratio * rng.uniform(0.97, 1.03)
        level, phase, decay_s = rng.uniform(0.3, 1), rng.uniform(0, 2 * np.pi), rng.uniform(0.004, 0.04)
        if hz < 0.46 * rate_hz:
            shard += level * np.sin(2 * np.pi * hz * t + phase) * np.exp(-t / decay_s)
    return shard


def engine(rng: np.random.Generator, duration_s: float, rate_hz: int) -> Samples:
    """A car comes, passes and goes: the harmonics of its firing rate and the rush of its tyres."""
    t = _times(duration_s, rate_hz)
    phase = 2 * np.pi * np.cumsum(80 + 5 * np.sin(2 * np.pi * 0.21 * t)) / rate_hz
    hum = np.zeros(len(t))
    for n in range(1, 30):
        hum += np.sin(n * phase + rng.uniform(0, 2 * np.pi)) / n**0.9 * (1.0 if n % 2 == 0 else 0.6)
    hz = np.fft.rfftfreq(len(t), 1 / rate_hz)
    rush = _noise(rng, 1 / (1 + (hz / 1200) ** 2), len(t)) * (1 + 0.3 * np.sin(phase))
    passing = np.exp(-(((t - duration_s / 2) / (duration_s / 4)) ** 2))
    return np.asarray(passing * (0.2 * hum + 0.1 * rush))


def _noise(rng: np.random.Generator, level: Samples, count: int) -> Samples:
    """Root mean square 1; made of whole waves, so that its end fits its beginning."""
    waves = rng.standard_normal(len(level)) + 1j * rng.standard_normal(len(level))
    noise = np.fft.irfft(waves * level, count)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def _times(duration_s: float, rate_hz: int) -> Samples:
    return np.arange(round(duration_s * rate_hz)) / rate_hz


def spoken(said: str) -> Voice:
    """What a synthetic voice says; `spoken/` holds what it can."""
    return Voice(said, len(_recording(said)) / _SPOKEN_HZ, partial(_say, said), "speech")


def _say(said: str, _: np.random.Generator, duration_s: float, rate_hz: int) -> Samples:
    recording = _recording(said)
    times = _times(duration_s, rate_hz) * _SPOKEN_HZ
    return np.asarray(np.interp(times, np.arange(len(recording)), recording))


@lru_cache(maxsize=8)
def _recording(said: str) -> Samples:
    data = (files("edgeguard.synth") / "spoken" / f"{said.replace(' ', '_')}.wav").read_bytes()
    with wave.open(BytesIO(data)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


GLASS = Voice("glass", 1.2, glass)
SMOKE_ALARM = Voice("smoke_alarm", 7.0, smoke_alarm)
ENGINE = Voice("engine", 8.0, engine)
HELP_ME, CALL_THE_POLICE, FIRE = map(spoken, ("help me", "call the police", "there is a fire"))
