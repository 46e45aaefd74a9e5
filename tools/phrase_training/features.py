"""What the network sees: the log-mel features that sherpa-onnx 2.0.1 computes for streaming NeMo CTC models.

Found by probing it with a network that answers with its input, as its sources do not agree among releases:
Slaney's mel scale from 0 to 8000 Hz, 80 bins of equal area, a Hann window, pre-emphasis, DC kept, no dither.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16000
BINS = 80
HOP = 160
_WINDOW = 400
_FFT = 512
_FLOOR = float(np.finfo(np.float32).eps)


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) samples, -1..1, to (frames, 80); one frame for each 10 ms, edges mirrored."""
    frames = (len(samples) + HOP // 2) // HOP
    before = _WINDOW // 2 - HOP // 2
    after = max(0, (frames - 1) * HOP + _WINDOW - before - len(samples))
    padded = np.pad(samples, (before, after), mode="symmetric")
    framed = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:frames]
    emphasised = framed - 0.97 * np.concatenate([framed[:, :1], framed[:, :-1]], axis=1)
    spectrum = np.fft.rfft(emphasised * _hann(), _FFT, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(np.log(np.maximum(power @ _mel(), _FLOOR)), np.float32)


def other_throat(features: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """As from a vocal tract `factor` times as short, at the same pace (VTLP, Jaitly and Hinton 2013)."""
    centres = _edges()[1:-1]
    return np.asarray(
        _between(features.T, np.interp(centres / factor, centres, np.arange(BINS))).T, np.float32
    )


def other_pace(features: NDArray[np.float32], paces: NDArray[np.float64]) -> NDArray[np.float32]:
    """Quicker and slower by turns: `paces` are spread over the whole, 1 is as it was."""
    frames = len(features)
    shares = np.interp(np.linspace(0, len(paces) - 1, frames), np.arange(len(paces)), 1 / paces)
    ends = np.cumsum(shares) - shares[0]
    return _between(features, np.interp(np.arange(round(float(ends[-1])) + 1), ends, np.arange(frames)))


def _between(rows: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float32]:
    """The rows at places that may lie between two."""
    below = np.minimum(at.astype(int), len(rows) - 2)
    share = (at - below)[:, None].astype(np.float32)
    return np.asarray(rows[below] * (1 - share) + rows[below + 1] * share, np.float32)


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float32]:
    turn = 2 * np.pi * np.arange(_WINDOW) / _WINDOW
    return np.asarray(0.5 - 0.5 * np.cos(turn), np.float32)


@lru_cache(maxsize=1)
def _mel() -> NDArray[np.float32]:
    """(257, 80): triangles in hertz, each divided by half its width."""
    edges = _edges()
    hertz = np.arange(_FFT // 2 + 1)[:, None] * RATE_HZ / _FFT
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - left) / (centre - left), (right - hertz) / (right - centre)
    weights = np.clip(np.minimum(rising, falling), 0, None) * (2 / (right - left))
    return np.asarray(weights, np.float32)


def _edges() -> NDArray[np.float64]:
    """(82,) Hz: where the triangles begin, peak and end."""
    return _to_hertz(np.linspace(0.0, float(_to_mel(RATE_HZ / 2)), BINS + 2))


_KNEE_HZ, _KNEE_MEL, _STEP = 1000.0, 15.0, float(np.log(6.4)) / 27.0


def _to_mel(hertz: float) -> float:
    """Slaney's: linear below 1 kHz, logarithmic above."""
    return hertz * 3 / 200 if hertz < _KNEE_HZ else _KNEE_MEL + float(np.log(hertz / _KNEE_HZ)) / _STEP


def _to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _KNEE_MEL, mel * 200 / 3, _KNEE_HZ * np.exp(_STEP * (mel - _KNEE_MEL)))
