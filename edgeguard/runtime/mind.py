"""From plain values to what understands words; a classifier that cannot be had is said in health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeguard.errors import UnavailableError
from edgeguard.models import OnnxSession
from edgeguard.models.files import sha256_of
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.health import Part, State
from edgeguard.speech import Understanding
from edgeguard.speech.understanding.classifier import (
    OnnxTextClassifier,
    TextClassifier,
    read_labels,
    read_vocabulary,
)
from edgeguard.speech.understanding.intents import shipped


@dataclass(frozen=True, slots=True)
class ClassifierChoice:
    """A text classifier's files."""

    model: Path
    vocabulary: Path
    labels: Path
    intents: Mapping[str, str]
    """By label."""
    weight: float


@dataclass(frozen=True, slots=True)
class MindChoice:
    """What words mean at this site."""

    urgency: float
    cues: Sequence[tuple[str, str, float]]
    """Intent, phrase, weight."""
    places: Sequence[str]
    people: Sequence[str]
    classifier: ClassifierChoice | None


class Mind:
    """Makes an understanding for each microphone; all share what is loaded. `part` is its health."""

    def __init__(self, choice: MindChoice | None, part: Part) -> None:
        self._choice = choice
        self._part = part
        self._classifier: TextClassifier | None = None
        if choice is None:
            part.set(State.OFF, "not wanted", "not_wanted")
        else:
            self._intents = shipped().with_cues(choice.cues)

    def load(self) -> None:
        """Load the classifier, where one is wanted and not loaded yet."""
        if self._choice is None:
            return
        if self._choice.classifier is not None and self._classifier is None:
            try:
                self._classifier = _load(self._choice.classifier)
            except UnavailableError as error:
                self._part.set(State.DEGRADED, f"phrases alone are understood: {error}", code_of(error))
                return
        self._part.set(State.OK)

    def understanding(self, levels: Sequence[float]) -> Understanding | None:
        """`levels` are the urgencies that the microphone's rules ask for, beside the general one."""
        choice = self._choice
        if choice is None:
            return None
        return Understanding(
            self._intents,
            [choice.urgency, *levels],
            places=choice.places,
            people=choice.people,
            classifier=self._classifier,
        )


def _load(choice: ClassifierChoice) -> TextClassifier:
    session = OnnxSession(choice.model, choice.model.stem, {sha256_of(choice.model)})
    vocabulary, labels = read_vocabulary(choice.vocabulary), read_labels(choice.labels)
    return OnnxTextClassifier(session, vocabulary, labels, choice.intents, choice.weight)
