"""Phrases spoken in noise, made when they are needed."""

from __future__ import annotations

import random
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _speech_chain import MIRROR, RATE_HZ, Samples

VOICES = ("en-us+m3", "en-gb+f2", "en-gb-scotland+m5", "en-us+f4", "en-gb-x-rp+m7", "en+f3")


@dataclass(frozen=True)
class Case:
    phrase: str
    samples: Samples


def noisy_phrases(phrases: Sequence[str], snr_db: float, seed: int, voices: int = 2) -> Iterator[Case]:
    """Each phrase by `voices` voices, in a noise of the mirror, with a second before and after."""
    choice = random.Random(seed)  # noqa: S311 - a test's dice
    noises = [read_wav(path) for path in sorted((MIRROR / "data/audio/noise").glob("*.wav"))]
    for phrase in phrases:
        for voice in choice.sample(VOICES, voices):
            speech = np.pad(speak(phrase, voice, choice.randint(130, 190)), RATE_HZ)
            noise = np.resize(np.roll(choice.choice(noises), choice.randrange(RATE_HZ * 60)), len(speech))
            yield Case(phrase, mixed(speech, noise, snr_db))


def mixed(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Both, with the noise so loud as the ratio to the spoken part asks."""
    spoken = speech[np.abs(speech) > 0.01]
    power = float(np.mean(spoken**2)) if len(spoken) else 1.0
    gain = np.sqrt(power / 10 ** (snr_db / 10) / max(float(np.mean(noise**2)), 1e-12))
    both = speech + gain * noise
    return np.asarray(both / max(1.0, float(np.abs(both).max())), np.float32)


def speak(text: str, voice: str, words_per_minute: int) -> Samples:
    """What espeak-ng makes of it, at 16 kHz."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "speech.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True)
        return read_wav(path)


def read_wav(path: Path) -> Samples:
    """Mono sound at 16 kHz, whatever the rate of the file."""
    with wave.open(str(path)) as file:
        rate_hz, channels = file.getframerate(), file.getnchannels()
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32_768
    sound = raw.reshape(-1, channels).mean(axis=1)
    moments = np.arange(len(sound) * RATE_HZ // rate_hz) * rate_hz / RATE_HZ
    return np.asarray(np.interp(moments, np.arange(len(sound)), sound), np.float32)
