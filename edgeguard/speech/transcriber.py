"""One microphone's speech as utterances: voice activity opens the recogniser's ear."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgeguard.speech.denoiser import Denoised, Denoiser
from edgeguard.speech.recogniser import Recogniser, RecogniserStream, Transcript
from edgeguard.speech.samples import RATE_HZ, RecentSamples
from edgeguard.speech.vad import Segment, Vad
from edgeguard.types import AudioChunk, Utterance

_LOOK_BACK_S = 2.0
"""How late a VAD may report that speech began."""


@dataclass(slots=True)
class _Speaking:
    """A segment of speech on its way through the recogniser."""

    stream: RecogniserStream
    first: int
    """Number of the first sample that the stream got."""
    ended: bool = False
    partial: Transcript | None = None
    """The latest that may not have settled."""


class Transcriber:
    """Recognises what the VAD takes for speech, from `pre_roll_s` before it so that no word loses its onset.

    Each segment of speech gets a fresh stream of the recogniser, which microphones may share: feed all of
    them, call the recogniser's `decode` once, and poll. A partial that has not grown for `settle_s` is told
    once more, as settled. Where there is a `denoiser`, the recogniser hears what it leaves while `denoise` is
    set.
    """

    def __init__(
        self,
        source: str,
        recogniser: Recogniser,
        vad: Vad,
        pre_roll_s: float = 0.3,
        *,
        settle_s: float = 0.8,
        denoiser: Denoiser | None = None,
    ) -> None:
        self.denoise = True
        self._source = source
        self._recogniser = recogniser
        self._vad = vad
        self._pre_roll = round(pre_roll_s * RATE_HZ)
        self._keep = round((pre_roll_s + _LOOK_BACK_S) * RATE_HZ)
        self._settle_s = settle_s
        self._denoiser = denoiser
        self._recent = RecentSamples()
        self._speaking: list[_Speaking] = []
        """Those that were not polled to their end; only the last may lack one."""
        self._fed = 0

    def accept(self, chunk: AudioChunk) -> list[Utterance]:
        """Feed, decode and poll at once: new finals and partials, in order."""
        self.feed(chunk)
        self._recogniser.decode()
        return self.poll()

    def feed(self, chunk: AudioChunk) -> None:
        """Hand what is speech in the next chunk to the recogniser."""
        self._recent.append(chunk)
        self._hear(self._vad.accept(chunk))
        self._recent.forget(self._recent.end - self._keep)

    def decode(self) -> None:
        """Let the recogniser hear what it was fed by this and every other transcriber."""
        self._recogniser.decode()

    def poll(self) -> list[Utterance]:
        """What the recogniser found since the last call: finals and partials, in order."""
        utterances = [told for speaking in self._speaking for told in self._told(speaking)]
        self._speaking = [speaking for speaking in self._speaking if not speaking.ended]
        return utterances

    def finish(self) -> list[Utterance]:
        """The final of what is being said; then begin afresh."""
        self._hear(self._vad.finish())
        self._recogniser.decode()
        utterances = self.poll()
        self._recent.clear()
        self._fed = 0
        return utterances

    def _hear(self, segments: list[Segment]) -> None:
        for segment in segments:
            speaking = self._current() or self._begin(segment)
            end_pts_ns = segment.end_pts_ns
            stop = self._recent.end if end_pts_ns is None else self._recent.number(end_pts_ns)
            speaking.stream.feed(self._recent.take(self._fed, stop))
            self._fed = max(self._fed, stop)
            if end_pts_ns is not None:
                speaking.stream.end()
                speaking.ended = True

    def _current(self) -> _Speaking | None:
        return self._speaking[-1] if self._speaking and not self._speaking[-1].ended else None

    def _begin(self, segment: Segment) -> _Speaking:
        start = self._recent.number(segment.start_pts_ns) - self._pre_roll
        self._fed = max(start, self._fed, self._recent.start)
        stream = self._recogniser.stream()
        if self._denoiser is not None and self.denoise:
            stream = Denoised(stream, self._denoiser)
        self._speaking.append(_Speaking(stream, self._fed))
        return self._speaking[-1]

    def _told(self, speaking: _Speaking) -> list[Utterance]:
        transcripts = speaking.stream.poll()
        utterances = [self._utterance(transcript, speaking.first) for transcript in transcripts]
        if transcripts:
            speaking.partial = None if transcripts[-1].final else transcripts[-1]
        return [*utterances, *self._settled(speaking)]

    def _settled(self, speaking: _Speaking) -> list[Utterance]:
        partial = speaking.partial
        heard_s = (self._fed - speaking.first) / RATE_HZ
        if partial is None or not partial.times_s or heard_s - partial.times_s[-1] < self._settle_s:
            return []
        speaking.partial = None
        return [replace(self._utterance(partial, speaking.first), settled=True)]

    def _utterance(self, transcript: Transcript, first: int) -> Utterance:
        times = tuple(self._recent.pts_ns(first + round(s * RATE_HZ)) for s in transcript.times_s)
        start_pts_ns = times[0] if times else self._recent.pts_ns(first)
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
