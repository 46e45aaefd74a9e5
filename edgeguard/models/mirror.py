"""Finding a model's file in a folder that somebody else filled: a mirror, or a stick."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from edgeguard.models.card import ModelCard, ModelFile
from edgeguard.models.files import is_file, reading, sha256_of


def places(folder: Path, card: ModelCard, file: ModelFile) -> Iterator[Path]:
    """Where a folder kept for models has it."""
    if file.mirror:
        yield folder / file.mirror
    yield folder / card.name / file.name
    if card.archive:
        yield folder / card.archive.folder / file.name


def find(folder: Path, card: ModelCard, file: ModelFile, digests: Collection[str]) -> Path | None:
    """The file with one of `digests`; without any, what lies in its place, since its name may be common."""
    for path in places(folder, card, file):
        if is_file(path) and (not digests or sha256_of(path) in digests):
            return path
    return search(folder, file.name, file.size_bytes, digests) if digests else None


def search(folder: Path, name: str, size_bytes: int | None, digests: Collection[str]) -> Path | None:
    """The file of that name or size with one of `digests`, anywhere below; without any, one of that name."""
    with reading(folder):
        files = {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    for path, found_bytes in files.items():
        alike = path.name == name or (digests and found_bytes == size_bytes)
        if alike and (not digests or sha256_of(path) in digests):
            return path
    return None
