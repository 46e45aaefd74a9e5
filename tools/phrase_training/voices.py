"""Who says it: Debian's espeak-ng, flite and festival, each with many voices, rates and pitches."""

from __future__ import annotations

import random
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

RATE_HZ = 16000
ACCENTS = (
    *("en-gb", "en-us", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-029", "en-us-nyc"),
    "en-gb-x-gbcwmd",
)
UNHEARD_VARIANTS = frozenset(
    {"Annie", "Michael", "adam", "belinda", "f4", "grandpa", "klatt3", "m5", "linda", "steph2", "paul", "Lee"}
)
"""Never spoken with in training."""
_STRANGE = frozenset({"Demonic", "UniRobot", "whisperf", "fast", "croak", "anikaRobot"})
FLITE = ("kal16", "awb", "rms", "slt")
FESTIVAL = ("kal_diphone", "cmu_us_slt_arctic_hts")
UNHEARD_FESTIVAL = "ked_diphone"
"""A speaker that no other voice here shares."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One way to speak."""

    synthesiser: str
    name: str
    rate: float
    """1 is the voice's own."""
    pitch: float
    """1 is the voice's own."""


def variants() -> list[str]:
    """espeak-ng's, without those that no person sounds like."""
    listed = subprocess.run(["espeak-ng", "--voices=variant"], check=True, capture_output=True, text=True)
    names = [
        row.split("!v/")[1].split("  ")[0].split(" (")[0].strip() for row in listed.stdout.splitlines()[1:]
    ]
    return [
        name
        for name in sorted(names)
        if name not in _STRANGE and not name.startswith(("robosoft", "RicishayMax")) and " " not in name
    ]


def casting(synthesiser: str, draw: random.Random, *, heard: bool) -> Voice:
    """A voice for one line: of those that training hears, or of those that it never does."""
    rate, pitch = draw.uniform(0.75, 1.35), draw.uniform(0.75, 1.3)
    if synthesiser == "espeak-ng":
        pool = [name for name in variants_cached() if (name in UNHEARD_VARIANTS) is not heard]
        return Voice(synthesiser, f"{draw.choice(ACCENTS)}+{draw.choice(pool)}", rate, pitch)
    if synthesiser == "flite":
        return Voice(synthesiser, draw.choice(FLITE), rate, pitch)
    if synthesiser == "festival":
        return Voice(synthesiser, draw.choice(FESTIVAL) if heard else UNHEARD_FESTIVAL, rate, pitch)
    return Voice(synthesiser, draw.choice(("en-US", "en-GB")), rate, pitch)


_variants: list[str] = []


def variants_cached() -> list[str]:
    if not _variants:
        _variants.extend(variants())
    return _variants


def speak(orders: Sequence[tuple[str, Voice]]) -> Iterator[NDArray[np.float32]]:
    """Each text in its voice, at 16 kHz, in order."""
    if orders and orders[0][1].synthesiser == "festival":
        yield from _festival(orders)
        return
    if orders and orders[0][1].synthesiser == "pico":
        yield from _pico(orders)
        return
    speakers = {"espeak-ng": _espeak, "flite": _flite}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "said.wav"
        for said, voice in orders:
            subprocess.run(speakers[voice.synthesiser](said, voice, target), check=True, capture_output=True)
            yield read(target)


def _espeak(said: str, voice: Voice, target: Path) -> list[str]:
    speed, pitch = round(165 * voice.rate), round(min(99, max(1, 50 * voice.pitch)))
    return ["espeak-ng", "-v", voice.name, "-s", str(speed), "-p", str(pitch), "-w", str(target), said]


_HERTZ = {"kal16": 95, "awb": 130, "rms": 100, "slt": 165}


def _flite(said: str, voice: Voice, target: Path) -> list[str]:
    settings = [
        f"duration_stretch={1 / voice.rate:.3f}",
        f"int_f0_target_mean={_HERTZ[voice.name] * voice.pitch:.0f}",
    ]
    flags = [part for setting in settings for part in ("--setf", setting)]
    return ["flite", "-voice", voice.name, *flags, "-t", said, "-o", str(target)]


def _festival(orders: Sequence[tuple[str, Voice]]) -> Iterator[NDArray[np.float32]]:
    """One run speaks all: it starts slowly."""
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for row, (said, voice) in enumerate(orders):
            lines += [
                f"(voice_{voice.name})",
                f"(Parameter.set 'Duration_Stretch {1 / voice.rate:.3f})",
                f'(utt.save.wave (utt.synth (Utterance Text "{said}")) "{folder}/{row}.wav" \'riff)',
            ]
        script = Path(folder) / "say.scm"
        script.write_text("\n".join(lines))
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
        for row in range(len(orders)):
            yield read(Path(folder) / f"{row}.wav")


def _pico(orders: Sequence[tuple[str, Voice]]) -> Iterator[NDArray[np.float32]]:
    """SVOX Pico, for judging only."""
    import py_nanotts

    engine: Any = py_nanotts.NanoTTS()
    for said, voice in orders:
        pcm = engine.speak(said, voice=voice.name, speed=voice.rate, pitch=voice.pitch)
        yield _floats(pcm)


def read(path: Path) -> NDArray[np.float32]:
    """A mono 16-bit WAV file at 16 kHz, -1..1."""
    with wave.open(str(path)) as file:
        rate_hz = file.getframerate()
        samples = _floats(file.readframes(file.getnframes()))
    if rate_hz == RATE_HZ:
        return samples
    factor = gcd(RATE_HZ, rate_hz)
    return np.asarray(resample_poly(samples, RATE_HZ // factor, rate_hz // factor), np.float32)


def _floats(pcm: bytes) -> NDArray[np.float32]:
    return np.asarray(np.frombuffer(pcm, np.int16) / np.float32(32768), np.float32)
