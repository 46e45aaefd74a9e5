"""What understands speech."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.section import DERIVED, Many, ModelName, Name, Section, Share, Text
from edgeguard.config.understanding import Understanding


def name_of(phrase: str) -> str:
    """The name of a keyword that was given none: `help me` is `help_me`."""
    return re.sub(r"\W+", "_", phrase.lower()).strip("_")


class Vad(Section):
    """Voice activity: when somebody speaks."""

    model: ModelName = "silero-vad"
    """Model from the catalog."""
    threshold: Share = 0.5
    """Certainty (0 to 1) from which sound counts as speech."""
    min_speech_s: float = Field(default=0.25, gt=0, le=5)
    """Seconds that speech lasts at least."""
    min_silence_s: float = Field(default=0.5, gt=0, le=10)
    """Seconds of quiet that end it."""
    max_speech_s: float = Field(default=20.0, ge=1, le=120)
    """Seconds after which it is cut at the next short pause."""


class Endpoint(Section):
    """When an utterance is complete."""

    silence_s: float = Field(default=1.2, gt=0, le=30)
    """Seconds of quiet after words."""
    empty_silence_s: float = Field(default=2.4, gt=0, le=30)
    """Seconds of quiet without any word."""
    longest_s: float = Field(default=20.0, ge=1, le=120)
    """Seconds, in any case."""


class Phrase(Section):
    """A phrase to listen for."""

    phrase: Text = Field(examples=["help me"])
    """Words as they are spoken, in the language of the speech model."""
    name: Name = Field(default=DERIVED, validate_default=True)
    """What rules call it. Without it: the phrase in small letters, with _ between the words."""

    @field_validator("name", mode="before")
    @classmethod
    def _from_phrase(cls, value: Any, info: ValidationInfo) -> Any:
        return name_of(str(info.data.get("phrase", "unnamed"))) if value is None else value


class Speech(Section):
    """Speech recognition, for all microphones."""

    enabled: bool = True
    """Whether speech is recognised at all."""
    model: ModelName | None = None
    """Speech model from the catalog; null: the first one that is installed."""
    keyword_model: ModelName | None = None
    """Keyword spotter from the catalog, which hears the phrases of `keywords` and nothing else; null: the
    first one that is installed. Without one, phrases are found in the recognised text."""
    settle_s: float | None = Field(default=None, ge=0.1, le=10)
    """Seconds without another word after which the last one counts as whole; null: what suits the model."""
    hotwords_score: float = Field(default=1.5, ge=0, le=10)
    """How much a transducer model is drawn to the phrases of `keywords`; 0: not at all, which is quicker.
    Other models take no notice."""
    denoise: Literal["auto", "always", "never"] = "auto"
    """Whether speech is denoised before it is recognised. `auto`: where the model gains, as measured."""
    denoise_model: ModelName = "gtcrn"
    """Model from the catalog."""
    threads: int = Field(default=1, ge=1, le=64)
    """CPU threads for recognition."""
    vad: Vad = Vad()
    """Voice activity: only what may be speech is recognised."""
    endpoint: Endpoint = Endpoint()
    """When an utterance is complete."""
    understanding: Understanding = Understanding()
    """What words mean: intents such as distress or threat."""
    keywords: Many[Phrase] = Field(default=(), examples=[[{"phrase": "help me"}]])
    """Phrases that `keyword` and `heard_and_seen` rules can use."""

    @field_validator("keywords")
    @classmethod
    def _named_once(cls, keywords: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
        names = [keyword.name for keyword in keywords]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected different names; {', '.join(twice)} is there more than once")
        return keywords
