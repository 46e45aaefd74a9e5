"""Spellings that sound the same in English, in the spirit of Metaphone (Philips 1990) but keeping the vowels.

Recognisers write what they hear as they please: `sea` for `see`, `fone` for `phone`. Vowels are kept because
a short phrase without them, such as `gun`, sounds like half the dictionary.
"""

from __future__ import annotations

import re
from functools import lru_cache

_RULES = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"^(kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"^wh", "w"),
        (r"^ps", "s"),
        (r"tch", "ch"),
        (r"dg(?=[eiy])", "j"),
        (r"ph", "f"),
        (r"gh(?=t|$)", ""),
        (r"c(?=[eiy])", "s"),
        (r"qu", "kw"),
        (r"ck|q|c(?!h)", "k"),
        (r"x", "ks"),
        (r"z", "s"),
        (r"mb$", "m"),
        (r"ee|ea|ie|ei", "i"),
        (r"ay|ey|ai", "e"),
        (r"oo|ue|ew", "u"),
        (r"y", "i"),
        (r"([^aeiou])\1", r"\1"),
    )
)


@lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """One spelling for all words that sound like this one (small letters)."""
    for pattern, said in _RULES:
        word = pattern.sub(said, word)
    return word
