"""Removes what the configuration no longer lets be kept, beside a running guard or without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeguard.clock import Clock
from edgeguard.files import is_tree, remove

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of thing that is kept within bounds."""

    what: str
    """`evidence`, `transcripts`, `observations`, `models`."""
    folder: Path
    surplus: Callable[[], Sequence[Path]]
    """Files and folders beyond the bounds, oldest first; may raise OSError."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of it."""

    what: str
    folder: str
    removed: int
    """Files and folders; those that would be, if nothing was to be removed."""
    freed_bytes: int
    error: str | None = None
    """Why there may be more."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def sweep(kept: Kept, clock: Clock, *, dry_run: bool = False) -> Swept:
    """Remove the surplus; never raises. A guard may write, and remove the same, meanwhile.

    What cannot be removed is said, and the rest goes nevertheless.
    """
    removed = freed = 0
    error = None
    try:
        surplus = kept.surplus()
    except OSError as refused:
        surplus, error = (), _said(refused, kept.folder)
    for path in surplus:
        try:
            size = _size(path)
            if not dry_run:
                remove(path)
        except OSError as refused:
            error = error or _said(refused, path)
        else:
            removed += 1
            freed += size
    if not dry_run:
        _drop_empty_days(kept.folder, clock.utc_ns())
    return Swept(kept.what, str(kept.folder), removed, freed, error)


def _said(refused: OSError, path: Path) -> str:
    return f"{refused.filename or path}: {refused.strerror or refused}"


def _size(path: Path) -> int:
    files = path.rglob("*") if is_tree(path) else [path]
    size = 0
    for file in files:
        with suppress(FileNotFoundError):
            size += file.lstat().st_size
    return size


def _drop_empty_days(folder: Path, utc_ns: int) -> None:
    """But for those into which a guard may be about to write; one that is not empty refuses to go."""
    for day in folder.glob("????-??-??"):
        with suppress(OSError):
            if day.is_dir() and day.stat().st_mtime_ns < utc_ns - _DAY_NS:
                day.rmdir()
