"""One microphone's hearing, from chunks to observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeguard.clock import Clock
from edgeguard.speech.effort import Effort
from edgeguard.speech.phrases import PhraseMatcher
from edgeguard.speech.reporter import FaultRule, IntentRule, KeywordRule, Reporter, SoundRule
from edgeguard.speech.soundness import Fault, MicrophoneCheck
from edgeguard.speech.sounds import SoundTagger
from edgeguard.speech.transcriber import Transcriber
from edgeguard.speech.understanding.meaning import Understanding
from edgeguard.types import AudioChunk, Observation, SoundTag, Stages, Utterance

_HOLE_NS = 200_000_000
"""More than sources stray; a source that was opened anew is further off."""


class Listener:
    """Hears one microphone with the parts that there are.

    Chunks must follow one another; at a hole in their sequence or time everything under way is ended and
    heard anew, and `holes` counts it. Phrases and sounds that no rule asks for are observed without a rule.
    Where there is a `spotter`, it alone hears phrases. Recognisers are shared: feed every listener, let the
    recognisers decode, then poll.
    """

    def __init__(
        self,
        source: str,
        clock: Clock,
        *,
        transcriber: Transcriber | None = None,
        spotter: Transcriber | None = None,
        matcher: PhraseMatcher | None = None,
        understanding: Understanding | None = None,
        tagger: SoundTagger | None = None,
        check: MicrophoneCheck | None = None,
        keyword_rules: Sequence[KeywordRule] = (),
        sound_rules: Sequence[SoundRule] = (),
        intent_rules: Sequence[IntentRule] = (),
        fault_rules: Sequence[FaultRule] = (),
        keep_text: bool = False,
    ) -> None:
        self.holes = 0
        self.missed = 0
        """Chunks that were dropped before they came here."""
        self.check = check
        self._effort = Effort.ALL
        self._clock = clock
        self._transcriber = transcriber
        self._spotter = spotter
        self._matcher = matcher
        self._tagger = tagger
        self._understanding = understanding
        self._reporter = Reporter(
            source, keyword_rules, sound_rules, intent_rules, fault_rules, keep_text=keep_text
        )
        self._last: AudioChunk | None = None
        self._fed_ns = 0
        self._sounds: list[SoundTag] = []
        self._faults: list[Fault] = []

    def accept(self, chunk: AudioChunk) -> list[Observation]:
        """What this chunk brings; ValueError unless it comes at 16 kHz."""
        observations = self.feed(chunk)
        for part in self._ears():
            part.decode()
        return observations + self.poll()

    def feed(self, chunk: AudioChunk) -> list[Observation]:
        """Take the next chunk; what is known without it. ValueError unless it comes at 16 kHz."""
        missed = self._finish_at_hole(chunk)
        self._last = chunk
        self._fed_ns = self._clock.monotonic_ns()
        for ear in self._ears():
            ear.feed(chunk)
        if self._tagger and self._effort <= Effort.SOUNDS:
            self._sounds += self._tagger.accept(chunk)
        if self.check:
            self._faults += self.check.accept(chunk)
        return missed

    def poll(self) -> list[Observation]:
        """What the chunk that was fed last brings, now that the recognisers have decoded it."""
        sentences = self._transcriber.poll() if self._transcriber in self._ears() else []
        phrases = self._spotter.poll() if self._spotter in self._ears() else []
        return self._report(sentences, phrases)

    def finish(self) -> list[Observation]:
        """End everything under way, as the source has ended; a chunk that follows is heard anew."""
        if self.check:
            self._faults += self.check.finish()
        return self._finish_hearing()

    def limit(self, effort: Effort) -> list[Observation]:
        """Do no more than `effort` from now on; the last words of what is given up."""
        if effort is self._effort:
            return []
        before, self._effort = self._ears(), effort
        if self._transcriber:
            self._transcriber.denoise = effort is Effort.ALL
        told = {ear: ear.finish() for ear in before if ear not in self._ears()}
        if self._tagger and effort > Effort.SOUNDS:
            self._sounds += self._tagger.finish()
        return self._report(
            [u for ear, heard in told.items() if ear is self._transcriber for u in heard],
            [u for ear, heard in told.items() if ear is self._spotter for u in heard],
        )

    def _ears(self) -> list[Transcriber]:
        """The recognisers that there is time for."""
        ears = []
        if self._transcriber and self._effort <= (Effort.ALL if self._spotter else Effort.WORDS):
            ears.append(self._transcriber)
        if self._spotter and self._effort <= Effort.WORDS:
            ears.append(self._spotter)
        return ears

    def _finish_at_hole(self, chunk: AudioChunk) -> list[Observation]:
        last = self._last
        if last is None or (
            chunk.sequence == last.sequence + 1 and abs(chunk.pts_ns - last.end_ns) <= _HOLE_NS
        ):
            return []
        self.holes += 1
        self.missed += max(chunk.sequence - last.sequence - 1, 0)
        return self._finish_hearing()

    def _finish_hearing(self) -> list[Observation]:
        self._fed_ns = self._clock.monotonic_ns()
        if self._last is None:
            return []
        sentences = self._transcriber.finish() if self._transcriber else []
        phrases = self._spotter.finish() if self._spotter else []
        self._sounds += self._tagger.finish() if self._tagger else []
        observations = self._report(sentences, phrases)
        self._last = None
        return observations

    def _report(self, sentences: list[Utterance], phrases: list[Utterance]) -> list[Observation]:
        chunk = self._last
        if chunk is None:
            return []
        end_ns = self._clock.monotonic_ns()
        sounds, self._sounds = self._sounds, []
        faults, self._faults = self._faults, []
        seen: list[Observation] = []
        for utterance in phrases:
            seen += self._keywords(utterance, chunk)
        for utterance in sentences:
            seen += self._said(utterance, chunk)
        seen += [told for sound in sounds for told in self._reporter.sound(sound, chunk)]
        seen += [told for fault in faults for told in self._reporter.fault(fault, chunk)]
        stages = Stages(chunk.arrived_ns, self._fed_ns, end_ns, self._clock.monotonic_ns())
        return [replace(told, stages=stages) for told in seen]

    def _said(self, utterance: Utterance, chunk: AudioChunk) -> list[Observation]:
        seen = [] if self._spotter else self._keywords(utterance, chunk)
        meant = self._understanding.accept(utterance) if self._understanding else []
        seen += [told for meaning in meant for told in self._reporter.meaning(meaning, chunk)]
        if utterance.final and utterance.text:
            seen.append(self._reporter.utterance(utterance, chunk))
        return seen

    def _keywords(self, utterance: Utterance, chunk: AudioChunk) -> list[Observation]:
        found = self._matcher.accept(utterance) if self._matcher else []
        return [told for keyword in found for told in self._reporter.keyword(keyword, chunk)]
