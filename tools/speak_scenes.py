"""Speaks what the drawn scenes say, with flite's voice `slt`, into edgeguard/synth/spoken.

    python tools/speak_scenes.py

Needs flite from Debian. The voice is CMU's `cmu_us_slt`, free for any use.
"""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from phrase_training.voices import RATE_HZ, Voice, speak

SAID = ("help me", "call the police", "there is a fire")
TARGET = Path(__file__).parent.parent / "edgeguard/synth/spoken"


def main() -> int:
    voice = Voice("flite", "slt", rate=0.95, pitch=1.05)
    for said, samples in zip(SAID, speak([(said, voice) for said in SAID]), strict=True):
        loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
        kept = samples[loud[0] : loud[-1] + 1]
        with wave.open(str(TARGET / f"{said.replace(' ', '_')}.wav"), "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes((kept / np.abs(kept).max() * 0.9 * 32767).astype("<i2").tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
