"""What the synthesisers say, and which of it the model is to write down."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


def _lines(name: str) -> list[str]:
    lines = (_HERE / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _company(section: str) -> tuple[str, ...]:
    """One list of `company.txt`."""
    lines = _lines("company.txt")
    after = lines[lines.index(f"[{section}]") + 1 :]
    return tuple(itertools.takewhile(lambda line: not line.startswith("["), after))


PHRASES: tuple[str, ...] = tuple(_lines("phrases.txt"))
_BEFORE, _AFTER, _NEAR, _COMMON = (_company(name) for name in ("before", "after", "near", "common"))


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to say."""

    said: str
    written: tuple[str, ...]
    """The phrases that the model is to answer with, in order; none where there is no phrase in it."""


def written(said: str) -> tuple[str, ...]:
    """The phrases in `said`, from left to right without overlap, the longest where several begin."""
    words, found, start = said.split(), list[str](), 0
    while start < len(words):
        phrase = next((p for p in _LONGEST_FIRST if words[start : start + len(p)] == p), None)
        if phrase:
            found.append(" ".join(phrase))
        start += len(phrase or [""])
    return tuple(found)


_LONGEST_FIRST = sorted((phrase.split() for phrase in PHRASES), key=len, reverse=True)


def line(said: str) -> Line:
    said = " ".join(re.sub(r"[^a-z' ]", " ", said.lower()).split())
    return Line(said, written(said))


class Author:
    """Draws lines, the same for the same seed."""

    def __init__(self, seed: int, words: Sequence[str], prose: Sequence[str], rivals: Sequence[str]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - data, not secrets
        self._words, self._prose, self._rivals = words, prose, rivals

    def phrases(self) -> Iterator[Line]:
        """Every phrase once, in a new order, some within a sentence."""
        for phrase in self._random.sample(PHRASES, len(PHRASES)):
            yield line(self._dressed(phrase))

    def other(self) -> Line:
        """Something that holds no phrase, or only by chance."""
        draw = self._random.random()
        if draw < 0.25:
            return line(self._random.choice(_NEAR))
        if draw < 0.45:
            return line(" ".join(self._random.sample(self._rivals, self._random.randint(1, 3))))
        if draw < 0.75:
            words = self._random.choice(self._prose).split()
            start = self._random.randrange(max(1, len(words) - 4))
            return line(" ".join(words[start : start + self._random.randint(3, 9)]))
        if draw < 0.85:
            return line(self._cut(self._random.choice(PHRASES)))
        mixed = [
            self._random.choice(self._words if self._random.random() < 0.6 else _COMMON)
            for _ in range(self._random.randint(2, 6))
        ]
        return line(" ".join(mixed))

    def _dressed(self, phrase: str) -> str:
        draw = self._random.random()
        if draw < 0.6:
            return phrase
        if draw < 0.7:
            return f"{phrase} {self._random.choice((phrase, *PHRASES))}"
        if draw < 0.8:
            return f"{self._random.choice(_BEFORE)} {phrase}"
        if draw < 0.9:
            return f"{phrase} {self._random.choice(_AFTER)}"
        return f"{self._random.choice(_BEFORE)} {phrase} {self._random.choice(_AFTER)}"

    def _cut(self, phrase: str) -> str:
        """A phrase begun and not finished, or with another word in it: what a matcher must not finish."""
        words = phrase.split()
        if len(words) == 1:
            return self._random.choice(self._rivals)
        words[self._random.randrange(len(words))] = self._random.choice(self._words)
        return " ".join(words)
