"""Keyword phrases in what was recognised, found while the sentence is still being spoken."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeguard.speech.homophones import sound
from edgeguard.types import Utterance

LETTERS_PER_EDIT = 8
"""A phrase may be off by one letter for each eight that it has."""

CHARACTERS_PER_EDIT = 5
"""And by one for each five Chinese characters."""

_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_APOSTROPHES = "'’"
_WITHOUT_APOSTROPHES = str.maketrans("", "", _APOSTROPHES)


@dataclass(frozen=True, slots=True)
class Keyword:
    """A phrase that was spoken."""

    phrase: str
    """As configured."""
    text: str
    """The words that matched, as they were spoken, and no other."""
    confidence: float
    """0..1."""
    threshold: float
    """What the confidence was compared with."""
    start_pts_ns: int
    """Monotonic time of its first token."""
    end_pts_ns: int
    """Monotonic time of its last token."""


def words(text: str) -> list[str]:
    """Words without case and punctuation; an apostrophe joins (`don't` is `dont`), other marks part."""
    return [folded for said in _parted(text) if (folded := _folded(said))]


def distance(a: str, b: str) -> int:
    """Edits (insert, delete, replace a letter) that turn `a` into `b` (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (letter != other))
    return row[-1]


class PhraseMatcher:
    """Finds phrases in one microphone's utterances, each spoken one once, from partials on.

    Phrases match whole words, however these are parted (`fire man` is `fireman`), and may be off by one
    letter in `LETTERS_PER_EDIT`, or spelt as it sounds (`nife` is `knife`); each Chinese character is a word.
    The newest word of a partial counts once it is over, as `help` may become `helpful`. ValueError if a
    phrase has no letters.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._patterns = [_Pattern(phrase) for phrase in dict.fromkeys(phrases)]
        self._found: Counter[str] = Counter()

    def accept(self, utterance: Utterance) -> list[Keyword]:
        """Phrases that this partial or final shows first."""
        spoken = _spoken(utterance)
        known = len(spoken) if utterance.final or utterance.settled else len(spoken) - 1
        found = [keyword for pattern in self._patterns for keyword in self._new(pattern, spoken, known)]
        if utterance.final:
            self.reset()
        return found

    def reset(self) -> None:
        """Forget the utterance that was not finished."""
        self._found.clear()

    def _new(self, pattern: _Pattern, spoken: list[_Word], known: int) -> list[Keyword]:
        matches = [match for match in pattern.matches(spoken) if match.stop <= known]
        new = matches[self._found[pattern.phrase] :]
        self._found[pattern.phrase] += len(new)
        return [
            Keyword(
                pattern.phrase,
                _text([word.said for word in spoken[match.start : match.stop]]),
                pattern.similarity(match.edits),
                pattern.threshold,
                spoken[match.start].start_pts_ns,
                spoken[match.stop - 1].end_pts_ns,
            )
            for match in new
        ]


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    """Without case and punctuation."""
    said: str
    """As it was recognised."""
    start_pts_ns: int
    end_pts_ns: int


def _spoken(utterance: Utterance) -> list[_Word]:
    return [
        _Word(text, said, start_pts_ns, end_pts_ns)
        for piece, start_pts_ns, end_pts_ns in _pieces(utterance)
        for said in _parted(piece)
        if (text := _folded(said))
    ]


def _pieces(utterance: Utterance) -> list[tuple[str, int, int]]:
    """Tokens joined at their blanks, with the times of the first and the last of each."""
    pieces: list[tuple[str, int, int]] = []
    for token, pts_ns in zip(utterance.tokens, utterance.token_pts_ns, strict=True):
        if pieces and not token.startswith(" ") and not _CHINESE.match(token):
            begun, start_pts_ns, _ = pieces.pop()
            pieces.append((begun + token, start_pts_ns, pts_ns))
        else:
            pieces.append((token, pts_ns, pts_ns))
    return pieces


def _parted(text: str) -> list[str]:
    """Split at whatever is neither letter, number nor apostrophe, and around Chinese characters."""
    letters = _CHINESE.sub(r" \g<0> ", unicodedata.normalize("NFKC", text))
    return "".join(
        c if c in _APOSTROPHES or unicodedata.category(c)[0] in "LMN" else " " for c in letters
    ).split()


def _text(said: Sequence[str]) -> str:
    """Words with blanks between, which Chinese does without."""
    joined = " ".join(said)
    return re.sub(rf"(?<={_CHINESE.pattern}) (?={_CHINESE.pattern})", "", joined)


def _folded(word: str) -> str:
    return word.translate(_WITHOUT_APOSTROPHES).casefold()


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    stop: int
    edits: int


class _Pattern:
    """One phrase; compared without the gaps between words, which recognisers set as they please."""

    def __init__(self, phrase: str) -> None:
        parts = words(phrase)
        self.phrase = phrase
        self._letters = "".join(parts)
        if not self._letters:
            raise ValueError(f"the phrase {phrase!r} has no letters, so nobody can say it")
        self._spans = range(1, len(parts) + 2)
        self._sound = "".join(map(sound, parts))
        characters = len(_CHINESE.findall(self._letters))
        self._edits = (
            len(self._letters) - characters
        ) // LETTERS_PER_EDIT + characters // CHARACTERS_PER_EDIT
        self.threshold = self.similarity(self._edits)

    def matches(self, spoken: Sequence[_Word]) -> Iterator[_Match]:
        """From left to right, without overlap; of those that overlap the first with the fewest edits."""
        start = 0
        while start < len(spoken):
            match = self._best(spoken, start)
            if match.edits > self._edits:
                start += 1
                continue
            match = min((self._best(spoken, i) for i in range(start, match.stop)), key=lambda m: m.edits)
            yield match
            start = match.stop

    def similarity(self, edits: int) -> float:
        return 1 - edits / len(self._letters)

    def _best(self, spoken: Sequence[_Word], start: int) -> _Match:
        stops = (min(start + span, len(spoken)) for span in self._spans)
        edits, stop = min((self._off(spoken[start:stop]), stop) for stop in stops)
        return _Match(start, stop, edits)

    def _off(self, spoken: Sequence[_Word]) -> int:
        letters = "".join(word.text for word in spoken)
        apart = abs(len(letters) - len(self._letters))
        edits = apart if apart > self._edits else distance(letters, self._letters)
        alike = edits > self._edits and "".join(sound(word.text) for word in spoken) == self._sound
        return self._edits if alike else edits
