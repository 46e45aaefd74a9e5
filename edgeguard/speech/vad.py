"""Voice activity: when somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgeguard.speech import sherpa
from edgeguard.speech.samples import RATE_HZ, RecentSamples
from edgeguard.types import AudioChunk

_WINDOW = 512
"""Samples per decision of Silero VAD; given more at once, sherpa-onnx would decide once for all of them."""

_RENEW_AFTER = 3600 * RATE_HZ
"""sherpa-onnx counts samples in 32 bits, which 37 hours overflow."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which somebody speaks."""

    start_pts_ns: int
    """Monotonic time at which the speech starts."""
    end_pts_ns: int | None
    """Monotonic time at which it ended; None while it lasts."""


class Vad(Protocol):
    """Finds speech in one microphone's sound."""

    def accept(self, chunk: AudioChunk) -> list[Segment]:
        """Segments that ended in this chunk, then the one that lasts; empty if nobody speaks."""

    def finish(self) -> list[Segment]:
        """End the segment that lasts, if one does, and begin afresh."""


class SileroVad:
    """Silero VAD (https://github.com/snakers4/silero-vad) in sherpa-onnx.

    Speech is reported once it has lasted `min_speech_s`, ends after `min_silence_s` of quiet, and is cut at
    the next short pause after `max_speech_s`. ModelError if the model cannot be loaded.
    """

    def __init__(
        self,
        model: Path,
        *,
        threshold: float = 0.5,
        min_speech_s: float = 0.25,
        min_silence_s: float = 0.5,
        max_speech_s: float = 20.0,
    ) -> None:
        sherpa_onnx = sherpa.load()
        config = sherpa_onnx.VadModelConfig(
            silero_vad=sherpa_onnx.SileroVadModelConfig(
                model=sherpa.file(model),
                threshold=threshold,
                min_speech_duration=min_speech_s,
                min_silence_duration=min_silence_s,
                max_speech_duration=max_speech_s,
                window_size=_WINDOW,
            ),
            sample_rate=RATE_HZ,
        )
        self._detector = sherpa.build(
            "voice activity detector",
            lambda: sherpa_onnx.VoiceActivityDetector(config, buffer_size_in_seconds=2 * max_speech_s),
        )
        self._recent = RecentSamples()
        self._origin = self._done = 0

    def accept(self, chunk: AudioChunk) -> list[Segment]:
        self._recent.append(chunk)
        segments = []
        while self._done + _WINDOW <= self._recent.end:
            self._detector.accept_waveform(self._recent.take(self._done, self._done + _WINDOW))
            self._done += _WINDOW
            segments += self._ended()
        self._recent.forget(self._done)
        if self._detector.is_speech_detected():
            return [*segments, Segment(self._pts_ns(self._detector.current_segment.start), None)]
        self._renew()
        return segments

    def finish(self) -> list[Segment]:
        self._detector.flush()
        segments = self._ended()
        self._detector.reset()
        self._recent.clear()
        self._origin = self._done = 0
        return segments

    def _ended(self) -> list[Segment]:
        segments = []
        while not self._detector.empty():
            found = self._detector.front
            end = found.start + len(found.samples)
            segments.append(Segment(self._pts_ns(found.start), self._pts_ns(end)))
            self._detector.pop()
        return segments

    def _pts_ns(self, since_renewal: int) -> int:
        return self._recent.pts_ns(self._origin + since_renewal)

    def _renew(self) -> None:
        if self._done - self._origin > _RENEW_AFTER:
            self._detector.reset()
            self._origin = self._done
