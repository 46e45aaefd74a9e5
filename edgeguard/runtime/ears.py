"""From the names of models to listeners that are ready; what is missing is said in health, not fatal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from edgeguard.clock import Clock
from edgeguard.errors import ModelError, UnavailableError
from edgeguard.models import Catalog, ModelStore, OnnxSession
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.mind import Mind
from edgeguard.runtime.words import SpeechChoice, SpeechParts, WordsMaker
from edgeguard.speech import (
    TAGS,
    FaultRule,
    IntentRule,
    KeywordRule,
    Limits,
    Listener,
    MicrophoneCheck,
    PhraseMatcher,
    SoundRule,
    SoundTagger,
)
from edgeguard.types import ModelRef


@dataclass(frozen=True, slots=True)
class SoundChoice:
    """Which sounds are known, and how sure and how long they must be."""

    model: str
    thresholds: Mapping[str, float]
    """By tag."""
    min_duration_s: float
    """At least this long, and at least as long as each tag needs by itself."""


@dataclass(frozen=True, slots=True)
class Ear:
    """What one microphone is for."""

    name: str
    speech: bool
    sounds: bool
    keyword_rules: Sequence[KeywordRule]
    sound_rules: Sequence[SoundRule]
    intent_rules: Sequence[IntentRule] = ()
    keep_text: bool = False
    """Whether whole sentences are observed with their text."""
    fault_rules: Sequence[FaultRule] = ()
    limits: Limits | None = None
    """What a sound microphone keeps to; None: it is not checked."""
    awaited: frozenset[str] = frozenset()
    """What rules and patterns wait for, which nobody notices without a model: `speech`, `sounds`."""


MakeTagger = Callable[[], SoundTagger]
ChoiceT = TypeVar("ChoiceT")
MakeT = TypeVar("MakeT")


class EarMaker:
    """Makes a listener for each microphone; models are loaded once and shared, for one thread."""

    def __init__(
        self,
        ears: Sequence[Ear],
        speech: SpeechChoice | None,
        sounds: SoundChoice | None,
        catalog: Catalog,
        store: ModelStore,
        mind: Mind,
        parts: tuple[Part, Part],
        clock: Clock,
    ) -> None:
        self.models: dict[str, ModelRef] = {}
        """What is behind each kind of observation: `keyword`, `sound`."""
        self._ears = ears
        self._speech = speech
        self._sounds = sounds
        self._catalog = catalog
        self._store = store
        self._mind = mind
        self._speech_part, self._sounds_part = parts
        self._clock = clock
        self._words: SpeechParts | None = None
        self._tagger: MakeTagger | None = None
        self._lacking: dict[Part, tuple[str, str]] = {}
        """Why there is no model, and the word for it, by part of health."""

    def load(self, live: Callable[[], object]) -> bool:
        """Load the models that are wanted and not loaded yet, with a sign of life after each; whether that
        brought one."""
        before = (self._words, self._tagger)
        self._mind.load()
        live()
        if self._words is None:
            self._words = self._load(self._speech, partial(self._load_words, live), self._speech_part)
            live()
            if self._words and self._words.unheard:
                self._speech_part.set(State.DEGRADED, _unheard(self._words), "keyword_unknown")
        if self._tagger is None:
            self._tagger = self._load(self._sounds, self._load_sounds, self._sounds_part)
            live()
        return (self._words, self._tagger) != before

    def listeners(self, but: Collection[str] = ()) -> dict[str, Listener]:
        """A new one for each microphone that is not in `but`, with what is loaded."""
        return {ear.name: self._listener(ear) for ear in self._ears if ear.name not in but}

    def refit(self, ears: Sequence[Ear]) -> None:
        """Make listeners of these from now on, with the models that are loaded."""
        self._ears = ears
        self._say_what_lacks()

    def decode(self) -> None:
        """Let the models hear what all listeners were fed."""
        for model in self._words.models if self._words else ():
            model.decode()

    def _listener(self, ear: Ear) -> Listener:
        words = self._words if ear.speech else None
        return Listener(
            ear.name,
            self._clock,
            transcriber=words.transcriber(ear.name) if words else None,
            spotter=words.spotter(ear.name) if words and words.spotter else None,
            matcher=PhraseMatcher(self._speech.phrases) if words and self._speech else None,
            understanding=self._mind.understanding([rule.urgency for rule in ear.intent_rules]),
            tagger=self._tagger() if self._tagger and ear.sounds else None,
            check=MicrophoneCheck(ear.limits) if ear.limits else None,
            keyword_rules=ear.keyword_rules,
            sound_rules=ear.sound_rules,
            intent_rules=ear.intent_rules,
            fault_rules=ear.fault_rules,
            keep_text=ear.keep_text,
        )

    def _load(self, choice: ChoiceT | None, load: Callable[[ChoiceT], MakeT], part: Part) -> MakeT | None:
        if choice is None:
            part.set(State.OFF, "not wanted", "not_wanted")
            return None
        try:
            made = load(choice)
        except UnavailableError as error:
            self._lacking[part] = (str(error), code_of(error))
            self._say_what_lacks()
            return None
        self._lacking.pop(part, None)
        part.set(State.OK)
        return made

    def _say_what_lacks(self) -> None:
        """A site may do without; one whose rules wait for it guards less than it was asked to."""
        awaited = {name for ear in self._ears for name in ear.awaited}
        for part, (reason, code) in self._lacking.items():
            if part.name in awaited:
                part.set(State.DEGRADED, f"rules wait in vain: {reason}", code)
            else:
                part.set(State.OFF, reason, code)

    def _load_words(self, live: Callable[[], object], choice: SpeechChoice) -> SpeechParts:
        words = WordsMaker(self._catalog, self._store, self._speech_part).load(choice, live)
        self.models["keyword"] = self.models["intent"] = words.ref
        return words

    def _load_sounds(self, choice: SoundChoice) -> MakeTagger:
        card = self._catalog.card(choice.model)
        if card.decoding != "scores":
            raise ModelError(f"{card.name} cannot tag sounds here; use yamnet")
        session = OnnxSession(self._store.path(card), card.name, card.file().digests)
        labels = self._store.labels(card)
        tags = [
            replace(
                tag,
                threshold=choice.thresholds.get(tag.tag, tag.threshold),
                min_duration_s=max(tag.min_duration_s, choice.min_duration_s),
            )
            for tag in TAGS
        ]
        self._sounds_part.note(model=card.name)
        self.models["sound"] = session.model
        return lambda: SoundTagger(session, labels, tags)


def _unheard(words: SpeechParts) -> str:
    phrases = ", ".join(f"'{phrase}'" for phrase in words.unheard)
    return (
        f"{words.ref.name} does not know {phrases}, so it hears nobody say it: take phrases from its list, "
        "or pull a general speech model (`edgeguard models list --task asr`)"
    )
