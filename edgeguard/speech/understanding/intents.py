"""Which words speak for which intent: data, shipped with the package and extended by the site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

from edgeguard.speech.understanding.tokens import plain

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase that speaks for an intent."""

    intent: str
    phrase: str
    words: Words
    weight: float
    """0..1: how sure the phrase alone would make a listener."""


@dataclass(frozen=True)
class Intents:
    """All cues, by their first word, longest first."""

    urgency: float
    """From which an intent is observed, unless a microphone asks for more or less."""
    names: tuple[str, ...]
    negations: frozenset[Words]
    harmless: frozenset[Words]
    harmless_share: float
    cues: Mapping[str, tuple[Cue, ...]] = field(repr=False)

    def with_cues(self, more: Iterable[tuple[str, str, float]]) -> Intents:
        """These and the site's own: (intent, phrase, weight); one said again replaces the shipped one."""
        own = [_cue(*cue) for cue in more]
        said = {(cue.intent, cue.words) for cue in own}
        kept = [cue for cues in self.cues.values() for cue in cues if (cue.intent, cue.words) not in said]
        names = dict.fromkeys([*self.names, *(cue.intent for cue in own)])
        return Intents(
            self.urgency,
            tuple(names),
            self.negations,
            self.harmless,
            self.harmless_share,
            _by_first_word([*kept, *own]),
        )


@cache
def shipped() -> Intents:
    """English and Chinese."""
    data: dict[str, Any] = yaml.safe_load(
        (resources.files("edgeguard.speech.understanding") / "intents.yaml").read_text("utf-8")
    )
    cues = [
        _cue(intent, phrase, weight)
        for intent, phrases in data["intents"].items()
        for phrase, weight in phrases.items()
    ]
    return Intents(
        data["urgency"],
        tuple(data["intents"]),
        frozenset(plain(word) for word in data["negations"]),
        frozenset(plain(word) for word in data["harmless"]),
        data["harmless_share"],
        _by_first_word(cues),
    )


def _cue(intent: str, phrase: str, weight: float) -> Cue:
    words = plain(phrase)
    if not words:
        raise ValueError(f"the phrase {phrase!r} of the intent {intent} has no letters, so nobody can say it")
    return Cue(intent, phrase, words, weight)


def _by_first_word(cues: Iterable[Cue]) -> dict[str, tuple[Cue, ...]]:
    found: dict[str, list[Cue]] = {}
    for cue in cues:
        found.setdefault(cue.words[0], []).append(cue)
    return {word: tuple(sorted(group, key=lambda cue: -len(cue.words))) for word, group in found.items()}
