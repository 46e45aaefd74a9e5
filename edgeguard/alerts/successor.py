"""The file that takes a damaged one's place: made beside it, and put in its place once it is whole.

Names, beside `outbox.db`: `.part` is being made and means nothing; `.new` is whole and waits to succeed;
`.damaged-N` are what was succeeded, of which the newest few are kept.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from edgeguard.files import put_in_place, sync

_BESIDE = ("", "-wal", "-shm")
_MOST_KEPT = 5


class Successor:
    """Of the database at `path`. Methods raise OSError; cut short at any moment, they can be done again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._whole = path.with_name(path.name + ".new")

    @property
    def waits(self) -> bool:
        """It was finished, but did not come into its place."""
        return self._whole.exists()

    def begin(self) -> Path:
        """Where to make it: a file without anything in it."""
        self._part.unlink(missing_ok=True)
        self._part.touch(mode=0o600)
        return self._part

    def finish(self) -> None:
        """It is whole, and closed."""
        put_in_place(self._part, self._whole)

    def succeed(self) -> Path | None:
        """Bring it into its place; where what was there is now, if there was something."""
        aside = self._move_aside()
        self._whole.replace(self._path)
        sync(self._path.parent)
        for old in self._set_aside()[:-_MOST_KEPT]:
            for suffix in _BESIDE:
                old.with_name(old.name + suffix).unlink(missing_ok=True)
        return aside

    def _move_aside(self) -> Path | None:
        """Give what there is of the database another name."""
        if not any(self._path.with_name(self._path.name + suffix).exists() for suffix in _BESIDE):
            return None
        earlier = self._set_aside()
        number = _number(earlier[-1]) + 1 if earlier else 1
        aside = self._path.with_name(f"{self._path.name}.damaged-{number}")
        for suffix in _BESIDE:
            with contextlib.suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).replace(aside.with_name(aside.name + suffix))
        return aside

    def _set_aside(self) -> list[Path]:
        """The oldest first."""
        found = self._path.parent.glob(f"{self._path.name}.damaged-*")
        return sorted((one for one in found if one.name.rpartition("-")[2].isdecimal()), key=_number)


def _number(aside: Path) -> int:
    return int(aside.name.rpartition("-")[2])
