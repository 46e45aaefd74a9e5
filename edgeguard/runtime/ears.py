"""From the names of models to listeners that are ready; what is missing is said in health, not fatal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from edgeguard.clock import Clock
from edgeguard.errors import ModelError, UnavailableError
from edgeguard.models import Catalog, ModelCard, ModelFile, ModelStore, OnnxSession
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.mind import Mind
from edgeguard.speech import (
    TAGS,
    Endpointing,
    IntentRule,
    KeywordRule,
    Listener,
    PhraseMatcher,
    Recogniser,
    SherpaRecogniser,
    SileroVad,
    SoundRule,
    SoundTagger,
    Transcriber,
)
from edgeguard.types import ModelRef

_RECOGNISERS: dict[str, Callable[..., SherpaRecogniser]] = {
    "sherpa-transducer": SherpaRecogniser.from_transducer,
    "sherpa-nemo-ctc": SherpaRecogniser.from_nemo_ctc,
    "sherpa-zipformer2-ctc": SherpaRecogniser.from_zipformer2_ctc,
}


@dataclass(frozen=True, slots=True)
class SpeechChoice:
    """How speech is understood."""

    model: str | None
    """Name in the catalog; None: the first that is installed."""
    vad_model: str
    vad: Mapping[str, float]
    """Keyword arguments of `SileroVad`."""
    endpointing: Endpointing
    phrases: Sequence[str]
    threads: int


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


MakeTranscriber = Callable[[str], Transcriber]
MakeTagger = Callable[[], SoundTagger]
ChoiceT = TypeVar("ChoiceT")
MakeT = TypeVar("MakeT")


class EarMaker:
    """Makes a listener for each microphone; models are loaded once and shared."""

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
        self._transcriber: MakeTranscriber | None = None
        self._tagger: MakeTagger | None = None

    def load(self) -> bool:
        """Load the models that are wanted and not loaded yet; whether that brought one."""
        before = (self._transcriber, self._tagger)
        self._mind.load()
        if self._transcriber is None:
            self._transcriber = self._load(self._speech, self._load_speech, self._speech_part)
        if self._tagger is None:
            self._tagger = self._load(self._sounds, self._load_sounds, self._sounds_part)
        return (self._transcriber, self._tagger) != before

    def listeners(self) -> dict[str, Listener]:
        """A new one for each microphone, with what is loaded."""
        return {ear.name: self._listener(ear) for ear in self._ears}

    def _listener(self, ear: Ear) -> Listener:
        transcriber = self._transcriber(ear.name) if self._transcriber and ear.speech else None
        return Listener(
            ear.name,
            self._clock,
            transcriber=transcriber,
            matcher=PhraseMatcher(self._speech.phrases) if transcriber and self._speech else None,
            understanding=self._mind.understanding([rule.urgency for rule in ear.intent_rules]),
            tagger=self._tagger() if self._tagger and ear.sounds else None,
            keyword_rules=ear.keyword_rules,
            sound_rules=ear.sound_rules,
            intent_rules=ear.intent_rules,
            keep_text=ear.keep_text,
        )

    def _load(self, choice: ChoiceT | None, load: Callable[[ChoiceT], MakeT], part: Part) -> MakeT | None:
        if choice is None:
            part.set(State.OFF, "not wanted")
            return None
        try:
            made = load(choice)
        except UnavailableError as error:
            part.set(State.OFF, str(error))
            return None
        part.set(State.OK)
        return made

    def _load_speech(self, choice: SpeechChoice) -> MakeTranscriber:
        card = self._speech_card(choice.model)
        recogniser = self._recogniser(card, choice)
        vad_path = self._store.path(self._catalog.card(choice.vad_model))
        self._speech_part.note(model=card.name)
        self.models["keyword"] = self.models["intent"] = ModelRef(
            card.name, _weights(card).sha256, "sherpa-onnx"
        )
        return lambda source: Transcriber(source, recogniser, SileroVad(vad_path, **choice.vad))

    def _speech_card(self, name: str | None) -> ModelCard:
        if name is not None:
            return self._catalog.card(name)
        for card in self._catalog.cards:
            if card.task == "asr" and self._store.installed(card):
                return card
        raise ModelError("no speech model is installed: see `edgeguard models list --task asr`")

    def _recogniser(self, card: ModelCard, choice: SpeechChoice) -> Recogniser:
        build = _RECOGNISERS.get(card.decoding or "")
        if build is None:
            raise ModelError(f"{card.name} is no streaming speech model (its task is {card.task})")
        wanted = [file for file in card.files if file.role not in ("bpe", "labels")]
        files = {file.role: self._store.path(card, file.name) for file in wanted}
        return build(**files, endpointing=choice.endpointing, threads=choice.threads)

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


def _weights(card: ModelCard) -> ModelFile:
    """The file that names a speech model: its encoder, where it has one."""
    roles = {file.role: file for file in card.files}
    return roles.get("encoder") or card.file()
