"""What the outbox keeps beside its file for bad days: numbers that were given out, and room on the disk."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from edgeguard.files import write_whole

_BLOCK = 1000
"""Numbers reserved at a time: one small write per so many alerts, and the hole that a lost outbox leaves."""


class SeqFloor:
    """A number in a file, never below any `seq` given out. Methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.value = _number_in(path)

    def reserve(self, seq: int) -> None:
        """Make sure, on the disk, that `value` is at least `seq`."""
        if seq <= self.value:
            return
        number = str(seq + _BLOCK).encode()
        try:
            write_whole(self._path, number)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._path.exists():
                raise
            _write_over(self._path, number)
        self.value = seq + _BLOCK

    def covers_more_than(self, seq: int) -> bool:
        """Whether numbers above `seq` were given out, though the outbox does not know of them."""
        return self.value - _BLOCK > seq or (seq == 0 and self.value > 0)


class Ballast:
    """A file that only takes room, to be dropped when the disk is full: even deleting rows needs some."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self.size_bytes = size_bytes

    @property
    def in_place(self) -> bool:
        return self.size_bytes == 0 or self._path.exists()

    def restore(self) -> None:
        """Take the room, if there is plenty."""
        if self.in_place or _free_bytes(self._path.parent) < 2 * self.size_bytes:
            return
        with contextlib.suppress(OSError), self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.size_bytes)

    def drop(self) -> bool:
        """Give the room back if the disk is full; whether that helped."""
        full = _free_bytes(self._path.parent) < self.size_bytes
        if not full or not self._path.exists():
            return False
        self._path.unlink()
        return True


def _write_over(path: Path, data: bytes) -> None:
    """On a full disk, in the place of what is there; so few bytes lie in one sector and are written whole."""
    with path.open("r+b") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _number_in(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _free_bytes(folder: Path) -> int:
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize
