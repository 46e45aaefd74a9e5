"""What understands the words that were recognised."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.section import Distinct, Location, Many, Name, Section, Share, Text


class Cue(Section):
    """Words that speak for an intent."""

    intent: Name = Field(examples=["duress"])
    """One of distress, threat, weapon, fire, medical, intrusion, violence, or one of your own."""
    phrase: Text = Field(examples=["is the boss in"])
    """Words as they are spoken."""
    weight: Share = 0.9
    """How sure they make a listener by themselves (0 to 1); 0 takes a shipped phrase out."""


class LabelIntent(Section):
    """What a label of the classifier speaks for."""

    label: Text = Field(examples=["Negative"])
    """As the labels file spells it."""
    intent: Name = Field(examples=["distress"])
    """The intent."""


class Classifier(Section):
    """A small text classifier (ONNX) beside the phrases: word numbers in, a score for each label out."""

    model_file: Location | None = None
    """The network: one input of (1, words) int32, one output of (1, labels); null: no classifier."""
    vocabulary_file: Location | None = Field(default=None, validate_default=True)
    """Lines of `word number`."""
    labels_file: Location | None = Field(default=None, validate_default=True)
    """A label on each line."""
    labels: Many[LabelIntent] = Field(
        default=(), validate_default=True, examples=[[{"label": "Negative", "intent": "distress"}]]
    )
    """Which labels count, and for what."""
    weight: Share = 0.5
    """How much a sure answer counts (0 to 1)."""

    @field_validator("vocabulary_file", "labels_file", "labels")
    @classmethod
    def _all_there(cls, value: Any, info: ValidationInfo) -> Any:
        if not value and info.data.get("model_file") is not None:
            raise ValueError("expected a value, as `model_file` has one")
        return value


class Understanding(Section):
    """What words mean, for all microphones."""

    enabled: bool = True
    """Whether intents are looked for at all."""
    urgency: Share = 0.5
    """Urgency (0 to 1) from which an intent is observed; `intent` rules may ask for more or less."""
    cues: Many[Cue] = Field(default=(), examples=[[{"intent": "duress", "phrase": "is the boss in"}]])
    """Phrases of your own, beside the shipped English and Chinese ones."""
    places: Distinct[Text] = Field(default=(), examples=[["loading dock"]])
    """Names of places that people say; an alert tells which were named."""
    people: Distinct[Text] = Field(default=(), examples=[["Doctor Weber"]])
    """Names of people, likewise."""
    classifier: Classifier = Classifier()
    """A text classifier's opinion beside the phrases."""
