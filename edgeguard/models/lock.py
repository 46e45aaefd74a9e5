"""What the store remembers of each file that came: its checksum, whence, and on whose word."""

from __future__ import annotations

from pathlib import Path

from edgeguard.models.card import ModelCard
from edgeguard.models.files import JsonFile


class Lock:
    """`lock.json` of a store."""

    def __init__(self, path: Path) -> None:
        self._file = JsonFile(path)

    def expected(self, card: ModelCard, name: str, published: frozenset[str]) -> frozenset[str]:
        """The SHA-256 values that the file may have: those published, else the one recorded, else none."""
        if published:
            return published
        recorded = self._file.read().get(_key(card, name))
        return frozenset({recorded["sha256"]}) if recorded else frozenset()

    def record(self, card: ModelCard, name: str, sha256: str, source: str, first_use: bool) -> None:
        """Remember a file; `first_use` if only the person who pulled it vouches for it."""
        self._file.set(_key(card, name), {"sha256": sha256, "source": source, "first_use": first_use})

    def first_use(self, card: ModelCard) -> bool:
        """Whether any file of the model came without a published checksum."""
        recorded = self._file.read()
        return any(recorded.get(_key(card, file.name), {}).get("first_use", False) for file in card.files)


def _key(card: ModelCard, name: str) -> str:
    return f"{card.name}/{name}"
