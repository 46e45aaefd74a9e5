"""A microphone: listened to for two seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeguard.audio.source import RATE_HZ, AudioSource
from edgeguard.clock import Clock
from edgeguard.errors import EdgeGuardError, EndOfStreamError, SourceError
from edgeguard.runtime.doctor.finding import Finding, fault, fine, warning
from edgeguard.runtime.doctor.sources import Place, as_the_guard_sees, opened, refused
from edgeguard.speech.soundness import FULL_SCALE, level_dbfs

LISTEN_S = 2.0
_STEP_S = 0.5


def microphone(
    place: Place,
    source: AudioSource,
    clock: Clock,
    patience_s: float,
    silent_dbfs: float,
    clipped_share: float,
) -> Finding:
    """Its level; sound that is there and cannot be heard is a finding, as is digital silence."""
    if place.held:
        return as_the_guard_sees(place)
    try:
        with opened(source):
            samples = _listen(source, clock, patience_s)
    except EdgeGuardError as error:
        return refused(place, error)
    return _judged(place, samples, silent_dbfs, clipped_share)


def _listen(source: AudioSource, clock: Clock, patience_s: float) -> NDArray[np.float32]:
    """(n,) samples of `LISTEN_S`, or of all there is. SourceError if nothing comes."""
    heard: list[NDArray[np.float32]] = []
    begun_ns = clock.monotonic_ns()
    while sum(map(len, heard)) < LISTEN_S * RATE_HZ:
        try:
            chunk = source.read(_STEP_S)
        except EndOfStreamError:
            break
        if chunk is not None:
            heard.append(chunk.samples)
        elif (clock.monotonic_ns() - begun_ns) / 1e9 > patience_s:
            break
    if not heard:
        raise SourceError(f"no sound within {patience_s:g} s", "connecting")
    return np.concatenate(heard)


def _judged(place: Place, samples: NDArray[np.float32], silent_dbfs: float, clipped_share: float) -> Finding:
    level = level_dbfs(samples)
    clipped = float(np.mean(np.abs(samples) >= FULL_SCALE))
    figures = {
        "level_dbfs": round(level, 1),
        "peak": round(float(np.max(np.abs(samples))), 3),
        "clipped_share": round(clipped, 4),
        "listened_s": round(len(samples) / RATE_HZ, 1),
    }
    if not np.ptp(samples):
        return fault(
            place.check,
            "digital silence: every sample is the same",
            "it is muted, or nothing is plugged in",
            "unmute it (`alsamixer`, capture side), check the plug, or turn the camera's sound on",
            place.name,
            figures=figures,
        )
    if level <= silent_dbfs:
        return warning(
            place.check,
            f"{level:.0f} dBFS: next to nothing is heard",
            "its gain is very low, it is covered, or it really is that quiet",
            "say something near it and run this again; raise its gain",
            place.name,
            figures=figures,
        )
    if clipped >= clipped_share:
        return warning(
            place.check,
            f"{clipped:.1%} of the samples are at full scale: speech is distorted",
            "its gain is too high",
            "lower its gain (`alsamixer`, capture side, or the camera's settings)",
            place.name,
            figures=figures,
        )
    return fine(place.check, f"{level:.0f} dBFS in {figures['listened_s']} s", place.name, figures=figures)
