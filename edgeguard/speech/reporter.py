"""What was heard, as observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edgeguard.speech.phrases import Keyword, words
from edgeguard.speech.soundness import Fault
from edgeguard.speech.understanding.meaning import Meaning
from edgeguard.speech.understanding.redact import redact
from edgeguard.types import AudioChunk, Measure, Observation, Phase, SoundTag, Utterance

_SLOWLY_NS = 10_000_000_000
"""As long as somebody pauses who reads out a number."""

_CONTEXT = 200
"""Characters that may hold a number's beginning."""


@dataclass(frozen=True, slots=True)
class KeywordRule:
    """Asks for keywords."""

    name: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SoundRule:
    """Asks for sounds."""

    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IntentRule:
    """Asks for what is meant."""

    name: str
    intents: tuple[str, ...] | None
    """None: any."""
    urgency: float
    """From which it counts."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """Asks for what is wrong with the microphone."""

    name: str
    faults: tuple[str, ...] | None
    """None: any."""


class Reporter:
    """Turns what one microphone hears into observations: one per rule that asks, or one without a rule.

    Numbers, cards and e-mail addresses are taken out of every text. The text of whole utterances is told
    only with `keep_text`.
    """

    def __init__(
        self,
        source: str,
        keyword_rules: Sequence[KeywordRule],
        sound_rules: Sequence[SoundRule],
        intent_rules: Sequence[IntentRule] = (),
        fault_rules: Sequence[FaultRule] = (),
        *,
        keep_text: bool = False,
    ) -> None:
        self._source = source
        self._intent_rules = intent_rules
        self._fault_rules = fault_rules
        self._keep_text = keep_text
        self._before = ("", 0)
        """How the latest sentence ended, and when."""
        self._keyword_rules = _by_subject(
            (_spelling(phrase), rule.name) for rule in keyword_rules for phrase in rule.phrases
        )
        self._sound_rules = _by_subject((tag, rule.name) for rule in sound_rules for tag in rule.tags)

    def utterance(self, utterance: Utterance, chunk: AudioChunk) -> Observation:
        """One that no rule asked for; a model that gives no confidence counts as sure."""
        confidence = 1.0 if utterance.confidence is None else utterance.confidence
        seen = self._observation("utterance", utterance.end_pts_ns, confidence, chunk)
        return replace(seen, text=self._sentence(utterance)) if self._keep_text else seen

    def keyword(self, keyword: Keyword, chunk: AudioChunk) -> list[Observation]:
        """Observed at its last token."""
        seen = replace(
            self._observation("keyword", keyword.end_pts_ns, keyword.confidence, chunk),
            key=keyword.phrase,
            label=keyword.phrase,
            text=redact(keyword.text),
            measures=(Measure("confidence", keyword.confidence, ">=", keyword.threshold),),
        )
        return _asked(seen, self._keyword_rules.get(_spelling(keyword.phrase)))

    def meaning(self, meaning: Meaning, chunk: AudioChunk) -> list[Observation]:
        """Observed at the last token so far, with the words that made it urgent."""
        seen = replace(
            self._observation("intent", meaning.end_pts_ns, meaning.urgency, chunk),
            key=meaning.intent,
            label=meaning.intent,
            text=meaning.text,
            measures=(
                Measure("urgency", meaning.urgency, ">=", meaning.threshold),
                *(Measure(f"said: {phrase}", weight) for phrase, weight in meaning.reasons),
                *(Measure("place", place) for place in meaning.places),
                *(Measure("person", person) for person in meaning.people),
            ),
        )
        asking = [
            rule.name
            for rule in self._intent_rules
            if rule.urgency <= meaning.urgency and (rule.intents is None or meaning.intent in rule.intents)
        ]
        return _asked(seen, asking)

    def sound(self, sound: SoundTag, chunk: AudioChunk) -> list[Observation]:
        """Observed where its latest window ends; the first observation of a sound where it starts."""
        pts_ns = sound.start_pts_ns if sound.phase is Phase.BEGAN else sound.end_pts_ns
        seen = replace(
            self._observation("sound", pts_ns, sound.confidence, chunk),
            phase=sound.phase,
            key=sound.tag,
            label=sound.tag,
            measures=(Measure("confidence", sound.confidence, ">=", sound.threshold),),
        )
        return _asked(seen, self._sound_rules.get(sound.tag))

    def fault(self, fault: Fault, chunk: AudioChunk) -> list[Observation]:
        """Something is wrong with the microphone, or right again."""
        seen = replace(
            self._observation("microphone_fault", fault.pts_ns, 1.0, chunk),
            phase=fault.phase,
            key=fault.name,
            label=fault.name,
            measures=(Measure(fault.measure, fault.value, fault.comparison, fault.threshold),),
        )
        asking = [rule.name for rule in self._fault_rules if rule.faults is None or fault.name in rule.faults]
        return _asked(seen, asking)

    def _sentence(self, utterance: Utterance) -> str:
        """Its text; a number that began in the sentence before it is one, however slowly it is said."""
        before, ended_ns = self._before
        if utterance.start_pts_ns - ended_ns > _SLOWLY_NS:
            before = ""
        whole = f"{before} {utterance.text}"
        self._before = (whole[-_CONTEXT:], utterance.end_pts_ns)
        return redact(whole, len(before) + 1)

    def _observation(self, kind: str, pts_ns: int, confidence: float, chunk: AudioChunk) -> Observation:
        return Observation(
            kind=kind,
            source=self._source,
            pts_ns=pts_ns,
            utc_ns=pts_ns + chunk.utc_ns - chunk.pts_ns,
            confidence=confidence,
            sequence=chunk.sequence,
        )


def _by_subject(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for subject, name in dict.fromkeys(pairs):
        rules.setdefault(subject, []).append(name)
    return rules


def _spelling(phrase: str) -> str:
    return " ".join(words(phrase))


def _asked(seen: Observation, rules: Sequence[str] | None) -> list[Observation]:
    return [replace(seen, rule=rule) for rule in rules or (None,)]
