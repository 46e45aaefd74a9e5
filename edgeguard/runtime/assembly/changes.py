"""What a running process does for another configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Sources by name. What is opened anew is in `closed` and in `opened`."""

    closed: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()
    reviewed: frozenset[str] = frozenset()
    """Cameras whose tracker and rules begin anew, those in `opened` included."""
    reheard: frozenset[str] = frozenset()
    """Microphones that are listened to anew, those in `opened` included."""
