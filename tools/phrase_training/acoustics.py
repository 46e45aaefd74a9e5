"""What rooms, microphones and noises do to speech; every draw is another place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.signal import fftconvolve

RATE_HZ = 16000
Samples = NDArray[np.float32]


def warped(samples: Samples, factor: float) -> Samples:
    """Played `factor` times as fast: quicker, higher, from a shorter vocal tract."""
    at = np.arange(0, len(samples) - 1, factor)
    return np.asarray(np.interp(at, np.arange(len(samples)), samples), np.float32)


def room(random: np.random.Generator) -> Samples:
    """An impulse response: the direct sound, a few reflections, an exponential tail (Polack 1988)."""
    decay_s = random.uniform(0.08, 0.7)
    length = int(RATE_HZ * min(0.45, decay_s))
    tail = random.standard_normal(length) * np.exp(-6.9 * np.arange(length) / (decay_s * RATE_HZ))
    for _ in range(random.integers(1, 6)):
        tail[random.integers(10, min(length, 800))] += random.uniform(-8, 8)
    direct_db = random.uniform(-3, 18)  # over all that is reflected: from across a hall to near by
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(tail, np.float32)


def microphone(random: np.random.Generator) -> Samples:
    """A short filter with a random tilt, a resonance, and sometimes the telephone's band."""
    frequency = np.linspace(0, 1, 65)
    gain_db = random.uniform(-12, 8) * frequency + random.uniform(-6, 6) * np.cos(
        np.pi * (random.uniform(1, 6) * frequency + random.uniform(0, 2))
    )
    gain = 10 ** (gain_db / 20)
    if random.random() < 0.15:
        gain *= (frequency > 0.035) & (frequency < random.uniform(0.42, 0.5))
    return np.asarray(np.fft.fftshift(np.fft.irfft(gain)) * np.hanning(128), np.float32)


def coloured(random: np.random.Generator, length: int) -> Samples:
    """Noise whose power falls by 0 to 6 dB an octave, with a hum now and then."""
    quick = next_fast_len(length, real=True)
    spectrum = np.fft.rfft(random.standard_normal(quick))
    spectrum /= np.maximum(np.arange(len(spectrum)), 8) ** random.uniform(0, 1)
    noise = np.fft.irfft(spectrum, quick)[:length]
    noise /= noise.std() + 1e-9
    if random.random() < 0.3:
        hertz = random.choice([50, 60, 100, 120, random.uniform(80, 2500)])
        noise += random.uniform(0.2, 1.5) * np.sin(2 * np.pi * hertz * np.arange(length) / RATE_HZ)
    return noise.astype(np.float32)


def cut(random: np.random.Generator, recording: Samples, length: int) -> Samples:
    """A piece from anywhere in a recording, repeated where it is too short."""
    start = random.integers(len(recording))
    return np.resize(np.roll(recording, -start) if len(recording) < 4 * length else recording[start:], length)


def mixed(speech: Samples, noise: Samples, snr_db: float, reference: float) -> Samples:
    """Noise under speech; `reference` is the speech's root mean square where it is spoken."""
    level = float(np.sqrt(np.mean(noise**2))) + 1e-9
    return np.asarray(speech + noise * (reference / level * 10 ** (-snr_db / 20)), np.float32)


def loudness(samples: Samples) -> float:
    """Root mean square of the louder half, so that pauses do not count."""
    blocks = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    power = np.sort((blocks**2).mean(axis=1))
    return float(np.sqrt(power[len(power) // 2 :].mean())) if len(power) else 1e-3


class Places:
    """Puts spoken lines somewhere, each time elsewhere."""

    def __init__(self, recordings: Sequence[Samples], babble: Sequence[NDArray[np.int16]]) -> None:
        self._recordings, self._babble = recordings, babble

    def heard(self, speech: Samples, random: np.random.Generator) -> Samples:
        """Speech as a microphone somewhere would hear it."""
        reference = loudness(speech)
        if random.random() < 0.55:
            speech = fftconvolve(speech, room(random))[: len(speech)]
        if random.random() < 0.6:
            speech = fftconvolve(speech, microphone(random), mode="same")
        reference = max(loudness(speech), 0.1 * reference)
        snr_db = float(random.uniform(2, 30)) if random.random() < 0.75 else 45.0
        speech = mixed(speech, self.noise(len(speech), random), snr_db, reference)
        peak = float(np.abs(speech).max()) + 1e-9
        louder = float(random.choice([1.0, 1.0, 1.0, random.uniform(1, 4)]))
        level = 10 ** (float(random.uniform(-32, -1)) / 20)
        return np.asarray(np.clip(speech / peak * louder, -1, 1) * level, np.float32)

    def noise(self, length: int, random: np.random.Generator) -> Samples:
        draw = random.random()
        if draw < 0.4 or not self._recordings:
            return coloured(random, length)
        if draw < 0.75:
            return cut(random, self._recordings[int(random.integers(len(self._recordings)))], length)
        total = np.zeros(length, np.float32)
        for _ in range(random.integers(2, 6)):
            voice = self._babble[int(random.integers(len(self._babble)))]
            total += np.roll(
                np.resize(voice.astype(np.float32) / 32768, length), int(random.integers(length))
            )
        return total
