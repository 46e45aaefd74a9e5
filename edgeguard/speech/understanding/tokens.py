"""A text as the words that are compared, each with the piece of the text that it came from."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_PIECE = re.compile(r"[㐀-鿿]|[^\W_㐀-鿿]+(?:['’][^\W_㐀-鿿]+)*")
FILLERS = frozenset({"uh", "um", "er", "erm", "ah", "hm", "hmm", "mm", "嗯", "呃", "啊", "哦"})
_EXPANDED = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "ain't": "is not",
    "let's": "let us",
    "gonna": "going to",
    "gotta": "got to",
    "wanna": "want to",
    "gimme": "give me",
    "lemme": "let me",
}
_ENDINGS = {"n't": "not", "'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}
_HAS = re.compile(r"^(he|she|it|who|somebody|someone|there|that)'s$")
_SIMPLIFIED = str.maketrans(
    "槍殺報開搶劫賊門車醫護倒傷爆燒煙點請別動們個這裡綁樓後邊",
    "枪杀报开抢劫贼门车医护倒伤爆烧烟点请别动们个这里绑楼后边",
)
"""Only the traditional characters that the shipped intents are written with."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word to compare; several may come from one piece (`can't` is `can` and `not`)."""

    text: str
    piece: int
    """Row of `Parsed.pieces`."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text taken apart."""

    text: str
    tokens: tuple[Token, ...]
    pieces: tuple[tuple[int, int], ...]
    """Start and end of each piece in `text`."""


def parse(text: str) -> Parsed:
    """Words without case, width and fillers, contractions written out; a Chinese character is a word."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").translate(_SIMPLIFIED)
    pieces = [match.span() for match in _PIECE.finditer(text)]
    tokens = [
        Token(word, row)
        for row, (start, stop) in enumerate(pieces)
        for word in _words(text[start:stop].casefold())
    ]
    return Parsed(text, tuple(tokens), tuple(pieces))


def plain(text: str) -> tuple[str, ...]:
    """The words alone, as patterns are compared."""
    return tuple(token.text for token in parse(text).tokens)


def _words(piece: str) -> list[str]:
    if piece in FILLERS:
        return []
    if piece in _EXPANDED:
        return _EXPANDED[piece].split()
    if match := _HAS.match(piece):
        return [match[1], "is"]
    for ending, word in _ENDINGS.items():
        if piece.endswith(ending) and len(piece) > len(ending):
            return [piece.removesuffix(ending), word]
    return [piece.replace("'", "")]
