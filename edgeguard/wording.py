"""How numbers stand in sentences."""

from __future__ import annotations


def counted(number: int, things: str) -> str:
    """`1 rule`, `5 rules` of `rules`: a word whose plural is its singular with an s."""
    return f"{number} {things.removesuffix('s') if number == 1 else things}"
