"""One microphone's speech as utterances: voice activity opens the recogniser's ear."""

from __future__ import annotations

from edgeguard.speech.recogniser import Recogniser, RecogniserStream, Transcript
from edgeguard.speech.samples import RATE_HZ, RecentSamples
from edgeguard.speech.vad import Segment, Vad
from edgeguard.types import AudioChunk, Utterance

_LOOK_BACK_S = 2.0
"""How late a VAD may report that speech began."""


class Transcriber:
    """Recognises what the VAD takes for speech, from `pre_roll_s` before it so that no word loses its onset.

    Each segment of speech gets a fresh stream of the recogniser, which microphones may share.
    """

    def __init__(self, source: str, recogniser: Recogniser, vad: Vad, pre_roll_s: float = 0.3) -> None:
        self._source = source
        self._recogniser = recogniser
        self._vad = vad
        self._pre_roll = round(pre_roll_s * RATE_HZ)
        self._keep = round((pre_roll_s + _LOOK_BACK_S) * RATE_HZ)
        self._recent = RecentSamples()
        self._stream: RecogniserStream | None = None
        self._first = self._fed = 0

    def accept(self, chunk: AudioChunk) -> list[Utterance]:
        """New finals and partials, in order."""
        self._recent.append(chunk)
        utterances = self._hear(self._vad.accept(chunk))
        self._recent.forget(self._recent.end - self._keep)
        return utterances

    def finish(self) -> list[Utterance]:
        """The final of what is being said; then begin afresh."""
        utterances = self._hear(self._vad.finish())
        self._recent.clear()
        self._fed = 0
        return utterances

    def _hear(self, segments: list[Segment]) -> list[Utterance]:
        return [
            self._utterance(transcript) for segment in segments for transcript in self._transcripts(segment)
        ]

    def _transcripts(self, segment: Segment) -> list[Transcript]:
        stream = self._stream or self._begin(segment)
        end_pts_ns = segment.end_pts_ns
        stop = self._recent.end if end_pts_ns is None else self._recent.number(end_pts_ns)
        transcripts = stream.accept(self._recent.take(self._fed, stop))
        self._fed = max(self._fed, stop)
        if end_pts_ns is not None:
            self._stream = None
            transcripts += stream.finish()
        return transcripts

    def _begin(self, segment: Segment) -> RecogniserStream:
        start = self._recent.number(segment.start_pts_ns) - self._pre_roll
        self._first = self._fed = max(start, self._fed, self._recent.start)
        self._stream = self._recogniser.stream()
        return self._stream

    def _utterance(self, transcript: Transcript) -> Utterance:
        times = tuple(self._recent.pts_ns(self._first + round(s * RATE_HZ)) for s in transcript.times_s)
        start_pts_ns = times[0] if times else self._recent.pts_ns(self._first)
        return Utterance(
            source=self._source,
            text=transcript.text,
            tokens=transcript.tokens,
            token_pts_ns=times,
            confidence=transcript.confidence,
            final=transcript.final,
            start_pts_ns=start_pts_ns,
            end_pts_ns=times[-1] if times else start_pts_ns,
            utc_ns=self._recent.utc_ns(start_pts_ns),
        )
