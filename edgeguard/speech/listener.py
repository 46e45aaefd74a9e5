"""One microphone's hearing, from chunks to observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeguard.clock import Clock
from edgeguard.speech.phrases import PhraseMatcher
from edgeguard.speech.reporter import IntentRule, KeywordRule, Reporter, SoundRule
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
    """

    def __init__(
        self,
        source: str,
        clock: Clock,
        *,
        transcriber: Transcriber | None = None,
        matcher: PhraseMatcher | None = None,
        understanding: Understanding | None = None,
        tagger: SoundTagger | None = None,
        keyword_rules: Sequence[KeywordRule] = (),
        sound_rules: Sequence[SoundRule] = (),
        intent_rules: Sequence[IntentRule] = (),
        keep_text: bool = False,
    ) -> None:
        self.holes = 0
        self._clock = clock
        self._transcriber = transcriber
        self._matcher = matcher
        self._tagger = tagger
        self._understanding = understanding
        self._reporter = Reporter(source, keyword_rules, sound_rules, intent_rules, keep_text=keep_text)
        self._last: AudioChunk | None = None

    def accept(self, chunk: AudioChunk) -> list[Observation]:
        """What this chunk brings; ValueError unless it comes at 16 kHz."""
        missed = self._finish_at_hole(chunk)
        self._last = chunk
        start_ns = self._clock.monotonic_ns()
        utterances = self._transcriber.accept(chunk) if self._transcriber else []
        sounds = self._tagger.accept(chunk) if self._tagger else []
        return missed + self._report(chunk, start_ns, utterances, sounds)

    def finish(self) -> list[Observation]:
        """End everything under way, as the source has ended; a chunk that follows is heard anew."""
        chunk, self._last = self._last, None
        if chunk is None:
            return []
        start_ns = self._clock.monotonic_ns()
        utterances = self._transcriber.finish() if self._transcriber else []
        sounds = self._tagger.finish() if self._tagger else []
        return self._report(chunk, start_ns, utterances, sounds)

    def _finish_at_hole(self, chunk: AudioChunk) -> list[Observation]:
        last = self._last
        if last is None or (
            chunk.sequence == last.sequence + 1 and abs(chunk.pts_ns - last.end_ns) <= _HOLE_NS
        ):
            return []
        self.holes += 1
        return self.finish()

    def _report(
        self,
        chunk: AudioChunk,
        start_ns: int,
        utterances: list[Utterance],
        sounds: list[SoundTag],
    ) -> list[Observation]:
        end_ns = self._clock.monotonic_ns()
        seen: list[Observation] = []
        for utterance in utterances:
            matched = self._matcher.accept(utterance) if self._matcher else []
            seen += [told for keyword in matched for told in self._reporter.keyword(keyword, chunk)]
            meant = self._understanding.accept(utterance) if self._understanding else []
            seen += [told for meaning in meant for told in self._reporter.meaning(meaning, chunk)]
            if utterance.final and utterance.text:
                seen.append(self._reporter.utterance(utterance, chunk))
        seen += [told for sound in sounds for told in self._reporter.sound(sound, chunk)]
        stages = Stages(chunk.arrived_ns, start_ns, end_ns, self._clock.monotonic_ns())
        return [replace(told, stages=stages) for told in seen]
