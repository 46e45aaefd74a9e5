"""From the names of speech models to what a microphone's words are heard with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeguard.errors import DependencyError, ModelError, UnavailableError
from edgeguard.models import Catalog, ModelCard, ModelFile, ModelStore
from edgeguard.runtime.health import Part
from edgeguard.speech import (
    Endpointing,
    GtcrnDenoiser,
    Hotwords,
    LoudnessVad,
    Recogniser,
    SherpaRecogniser,
    SherpaSpotter,
    SileroVad,
    Transcriber,
    Vad,
    speller,
)
from edgeguard.speech.phrases import words as spoken_words
from edgeguard.types import ModelRef

_RECOGNISERS: dict[str, Callable[..., SherpaRecogniser]] = {
    "sherpa-transducer": SherpaRecogniser.from_transducer,
    "sherpa-nemo-ctc": SherpaRecogniser.from_nemo_ctc,
    "sherpa-zipformer2-ctc": SherpaRecogniser.from_zipformer2_ctc,
}


_SETTLE_S = {"sherpa-nemo-ctc": 0.3}
"""By decoding, where the model's card says nothing: small CTC models take steps of 160 ms."""

_LONG_SETTLE_S = 0.8
"""More than other streaming models lag."""

_STARTER = "phrases-en"
"""Comes with the package; taken where no general model is installed."""

_LOUDNESS_LIMITS = ("min_silence_s", "max_speech_s")

_ROLES = ("tokens", "encoder", "decoder", "joiner", "model", "bpe")


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
class SpeechParts:
    """What a microphone's words are heard with."""

    transcriber: Callable[[str], Transcriber]
    spotter: Callable[[str], Transcriber] | None
    models: tuple[Recogniser, ...]
    ref: ModelRef
    unheard: tuple[str, ...] = ()
    """Phrases that are asked for and that the model does not know."""


def spotter_card(catalog: Catalog, store: ModelStore, name: str | None) -> ModelCard | None:
    """The keyword spotter of that name, installed or not; with None the first that is installed."""
    cards = (card for card in catalog.cards if card.task == "keywords")
    return next(
        (card for card in cards if (store.installed(card) if name is None else card.name == name)), None
    )


def unheard_by(card: ModelCard, store: ModelStore, phrases: Sequence[str]) -> tuple[str, ...]:
    """Phrases that are no part of any which a model lists that knows nothing else."""
    if not any(file.role == "labels" for file in card.files):
        return ()
    known = "".join(_between_spaces(phrase) for phrase in store.labels(card))
    return tuple(phrase for phrase in phrases if _between_spaces(phrase) not in known)


class WordsMaker:
    """Loads what hears words; `part` is told what is used, and what is done without."""

    def __init__(self, catalog: Catalog, store: ModelStore, part: Part) -> None:
        self._catalog = catalog
        self._store = store
        self._part = part

    def load(self, choice: SpeechChoice, live: Callable[[], object]) -> SpeechParts:
        """With a sign of life between two models. Raises ModelError or DependencyError if speech cannot be
        recognised at all."""
        card = self._speech_card(choice.model)
        recogniser = self._recogniser(card, choice)
        live()
        vad = self._vad(choice)
        denoiser_path = self._denoiser(card, choice)
        usual_s = card.thresholds.get("settle_s", _SETTLE_S.get(card.decoding or "", _LONG_SETTLE_S))
        settle_s = usual_s if choice.settle_s is None else choice.settle_s
        spotter = self._spotter(choice)
        self._part.note(model=card.name, denoised=denoiser_path is not None)
        model = ModelRef(card.name, _weights(card).sha256, "sherpa-onnx")

        def transcriber(source: str) -> Transcriber:
            denoiser = None if denoiser_path is None else GtcrnDenoiser(denoiser_path)
            return Transcriber(source, recogniser, vad(), settle_s=settle_s, denoiser=denoiser)

        if spotter is None:
            unheard = unheard_by(card, self._store, choice.phrases)
            return SpeechParts(transcriber, None, (recogniser,), model, unheard)
        return SpeechParts(
            transcriber,
            lambda source: Transcriber(source, spotter, vad()),
            (recogniser, spotter),
            model,
        )

    def _vad(self, choice: SpeechChoice) -> Callable[[], Vad]:
        """Makes one for each microphone; loudness decides where no model is installed."""
        card = self._catalog.card(choice.vad_model)
        if not self._store.present(card):
            self._part.note(voice_activity=f"by loudness, as {card.name} is not installed")
            limits = {key: seconds for key, seconds in choice.vad.items() if key in _LOUDNESS_LIMITS}
            return partial(LoudnessVad, **limits)
        self._part.note(voice_activity=card.name)
        return partial(SileroVad, self._store.path(card), **choice.vad)

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
        found = spotter_card(self._catalog, self._store, choice.keyword_model)
        if not choice.phrases or found is None:
            return None
        try:
            spotter = self._make_spotter(found, choice)
        except UnavailableError as error:
            self._part.note(keywords=f"found in the text, as the spotter cannot be had: {error}")
            return None
        self._part.note(keywords=found.name)
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
        for card in sorted(self._catalog.cards, key=lambda card: card.name == _STARTER):
            if card.task == "asr" and self._store.installed(card):
                return card
        raise ModelError("no speech model is installed: see `edgeguard models list --task asr`")

    def _recogniser(self, card: ModelCard, choice: SpeechChoice) -> Recogniser:
        build = _RECOGNISERS.get(card.decoding or "")
        if build is None:
            raise ModelError(f"{card.name} is no streaming speech model (its task is {card.task})")
        files = {file.role: self._store.path(card, file.name) for file in card.files if file.role in _ROLES}
        bpe = files.pop("bpe", None)
        plainly = partial(build, **files, endpointing=choice.endpointing, threads=choice.threads)
        if card.decoding != "sherpa-transducer" or not choice.hotwords_score:
            return plainly()
        try:
            return plainly(hotwords=Hotwords(tuple(choice.phrases), choice.hotwords_score, bpe))
        except DependencyError as error:
            self._part.note(hotwords=f"not used: {error}")
            return plainly()


def _between_spaces(phrase: str) -> str:
    return f" {' '.join(spoken_words(phrase))} "


def _weights(card: ModelCard) -> ModelFile:
    """The file that names a speech model: its encoder, where it has one."""
    roles = {file.role: file for file in card.files}
    return roles.get("encoder") or card.file()
