"""Names and places of the site, found in what was said even if a letter or two were misheard."""

from __future__ import annotations

from collections.abc import Sequence

from edgeguard.speech.phrases import LETTERS_PER_EDIT, distance
from edgeguard.speech.understanding.tokens import Parsed, plain


class Lexicon:
    """A few hundred names at most: each is compared with every run of as many words."""

    def __init__(self, names: Sequence[str]) -> None:
        """ValueError for a name without letters."""
        self._names = [(name, plain(name)) for name in dict.fromkeys(names)]
        for name, words in self._names:
            if not words:
                raise ValueError(f"the name {name!r} has no letters, so nobody can say it")

    def find(self, said: Parsed) -> tuple[str, ...]:
        """The names that were said, as the site writes them."""
        words = [token.text for token in said.tokens]
        return tuple(name for name, wanted in self._names if _contains(words, wanted))


def _contains(words: Sequence[str], wanted: Sequence[str]) -> bool:
    letters = "".join(wanted)
    most = len(letters) // LETTERS_PER_EDIT
    runs = (words[start : start + len(wanted)] for start in range(len(words) - len(wanted) + 1))
    return any(_near("".join(run), letters, most) for run in runs)


def _near(said: str, letters: str, most: int) -> bool:
    return abs(len(said) - len(letters)) <= most and distance(said, letters) <= most
