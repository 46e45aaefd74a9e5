"""From the names of models to listeners that are ready; what is missing is said in health, not fatal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from edgeguard.clock import Clock
from edgeguard.errors import DependencyError, ModelError, UnavailableError
from edgeguard.models import Catalog, ModelCard, ModelFile, ModelStore, OnnxSession
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.mind import Mind
from edgeguard.speech import (
    TAGS,
    Endpointing,
    GtcrnDenoiser,
    Hotwords,
    IntentRule,
    KeywordRule,
    Limits,
    Listener,
    MicrophoneCheck,
    PhraseMatcher,
    Recogniser,
    SherpaRecogniser,
    SherpaSpotter,
    SileroVad,
    SoundRule,
    SoundTagger,
    Transcriber,
    speller,
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
    keyword_model: str | None = None
    """Name of the keyword spotter in the catalog; None: the first that is installed, if one is."""
    settle_s: float | None = None
    """How long nothing follows until a word is over; None: as the model's card says."""
    hotwords_score: float = 0.0
    """How much a transducer is drawn to the phrases; 0: not at all."""
    denoise: bool | None = None
    """Whether the recogniser hears denoised sound; None: where the model's card says that it helps."""
    denoise_model: str = "gtcrn"


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
    limits: Limits | None = None
    """What a sound microphone keeps to; None: it is not checked."""


_SETTLE_S = 0.8
"""Where a model's card says nothing: more than streaming models lag."""


@dataclass(frozen=True, slots=True)
class SpeechParts:
    """What a microphone's words are heard with."""

    transcriber: Callable[[str], Transcriber]
    spotter: Callable[[str], Transcriber] | None
    models: tuple[Recogniser, ...]


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

    def load(self) -> bool:
        """Load the models that are wanted and not loaded yet; whether that brought one."""
        before = (self._words, self._tagger)
        self._mind.load()
        if self._words is None:
            self._words = self._load(self._speech, self._load_speech, self._speech_part)
        if self._tagger is None:
            self._tagger = self._load(self._sounds, self._load_sounds, self._sounds_part)
        return (self._words, self._tagger) != before

    def listeners(self) -> dict[str, Listener]:
        """A new one for each microphone, with what is loaded."""
        return {ear.name: self._listener(ear) for ear in self._ears}

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

    def _load_speech(self, choice: SpeechChoice) -> SpeechParts:
        card = self._speech_card(choice.model)
        recogniser = self._recogniser(card, choice)
        vad_path = self._store.path(self._catalog.card(choice.vad_model))
        denoiser_path = self._denoiser(card, choice)
        settle_s = card.thresholds.get("settle_s", _SETTLE_S) if choice.settle_s is None else choice.settle_s
        spotter = self._spotter(choice)
        self._speech_part.note(model=card.name, denoised=denoiser_path is not None)
        self.models["keyword"] = self.models["intent"] = ModelRef(
            card.name, _weights(card).sha256, "sherpa-onnx"
        )

        def transcriber(source: str) -> Transcriber:
            denoiser = None if denoiser_path is None else GtcrnDenoiser(denoiser_path)
            vad = SileroVad(vad_path, **choice.vad)
            return Transcriber(source, recogniser, vad, settle_s=settle_s, denoiser=denoiser)

        if spotter is None:
            return SpeechParts(transcriber, None, (recogniser,))
        return SpeechParts(
            transcriber,
            lambda source: Transcriber(source, spotter, SileroVad(vad_path, **choice.vad)),
            (recogniser, spotter),
        )

    def _denoiser(self, card: ModelCard, choice: SpeechChoice) -> Path | None:
        """The denoiser's file, if it is wanted and there."""
        if not (card.denoise if choice.denoise is None else choice.denoise):
            return None
        denoiser = self._catalog.card(choice.denoise_model)
        if choice.denoise is None and not self._store.installed(denoiser):
            return None
        return self._store.path(denoiser)

    def _spotter(self, choice: SpeechChoice) -> SherpaSpotter | None:
        """The keyword spotter, if there are phrases to spot; without it they are found in the text."""
        name = choice.keyword_model
        cards = [card for card in self._catalog.cards if card.task == "keywords"]
        found = [
            card for card in cards if card.name == name or (name is None and self._store.installed(card))
        ]
        if not choice.phrases or not found:
            return None
        try:
            spotter = self._make_spotter(found[0], choice)
        except UnavailableError as error:
            self._speech_part.note(keywords=f"found in the text, as the spotter cannot be had: {error}")
            return None
        self._speech_part.note(keywords=found[0].name)
        return spotter

    def _make_spotter(self, card: ModelCard, choice: SpeechChoice) -> SherpaSpotter:
        files = {file.role: self._store.path(card, file.name) for file in card.files}
        spell = speller(files["tokens"], files.pop("bpe", None))
        threshold = card.thresholds.get("score", 0.25)
        return SherpaSpotter(
            **files, phrases=choice.phrases, spell=spell, threshold=threshold, threads=choice.threads
        )

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
        files = {
            file.role: self._store.path(card, file.name)
            for file in card.files
            if file.role not in ("labels", "phrases")
        }
        bpe = files.pop("bpe", None)
        plainly = partial(build, **files, endpointing=choice.endpointing, threads=choice.threads)
        if card.decoding != "sherpa-transducer" or not choice.hotwords_score:
            return plainly()
        try:
            return plainly(hotwords=Hotwords(tuple(choice.phrases), choice.hotwords_score, bpe))
        except DependencyError as error:
            self._speech_part.note(hotwords=f"not used: {error}")
            return plainly()

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
