"""How much of the hearing there is time for."""

from __future__ import annotations

from enum import IntEnum


class Effort(IntEnum):
    """What a listener still does, in the order in which it is given up."""

    ALL = 0
    WORDS = 1
    """No sentences where a keyword spotter hears the phrases; nothing is denoised."""
    SOUNDS = 2
    """No words at all."""
    NOTHING = 3
