"""What the outbox keeps beside its file for bad days: numbers that were given out, and room on the disk."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path

from edgeguard.files import write_whole

_BLOCK = 1000
"""Numbers reserved at a time: one small write per so many alerts, and the hole that a lost outbox leaves."""


class SeqFloor:
    """A number in a file, never below any `seq` given out. Methods raise OSError.

    While the outbox is open it is above them; once it was closed properly, it is the last of them. Beside it
    `<name>.last` follows each commit without waiting for the disk: it outlives a killed process, and shows
    that an outbox lost what it had committed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.value, self.damaged = _number_in(path)
        """`damaged`: there was a file, but no number in it."""
        self._last_path = path.with_name(path.name + ".last")
        self._last, _ = _number_in(self._last_path)
        self._last_file: int | None = None

    def reserve(self, seq: int) -> None:
        """Make sure, on the disk, that `value` is at least `seq`."""
        if seq > self.value:
            self._write(seq + _BLOCK)

    def settle(self, seq: int) -> None:
        """The outbox is closed, and `seq` was the last number."""
        if self.value != seq:
            self._write(seq)

    def mark(self, seq: int) -> None:
        """`seq` was committed."""
        self._last = seq
        with contextlib.suppress(OSError):  # it helps to notice damage, and nothing else
            if self._last_file is None:
                self._last_file = os.open(self._last_path, os.O_WRONLY | os.O_CREAT, 0o600)
            os.pwrite(self._last_file, b"%015d" % seq, 0)

    def close(self) -> None:
        if self._last_file is not None:
            os.close(self._last_file)
            self._last_file = None

    def above(self, seq: int) -> int:
        """The highest number that may have been given out, where the outbox knows of `seq`."""
        return seq + _BLOCK if self.damaged else max(self.value, seq)

    def resume(self, seq: int) -> int:
        """The same for an outbox that is sound: it goes on after `seq`, unless more was committed before."""
        return seq if not self.damaged and 0 < self._last <= seq else self.above(seq)

    def faults(self, seq: int) -> list[str]:
        """What is wrong with numbers or outbox, if it knows of `seq`."""
        if self.damaged:
            return ["the number beside the outbox is damaged; some numbers are left out"]
        if self._last > seq > 0:
            return [
                f"the outbox lost what it had committed: it ends at {seq}, and {self._last} was committed"
            ]
        return []

    def _write(self, value: int) -> None:
        number = str(value).encode()
        try:
            write_whole(self._path, number)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._path.exists():
                raise
            _write_over(self._path, number)
        self.value, self.damaged = value, False


class Ballast:
    """A file that only takes room, to be dropped when the disk is full: even deleting rows needs some."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self.size_bytes = size_bytes

    @property
    def in_place(self) -> bool:
        return self.size_bytes == 0 or self._path.exists()

    @property
    def free_bytes(self) -> int:
        """On the disk."""
        room = os.statvfs(self._path.parent)
        return room.f_bavail * room.f_frsize

    @property
    def would_fit(self) -> bool:
        """The disk is not full: there is as much room as it takes."""
        return self.free_bytes >= self.size_bytes

    def restore(self) -> None:
        """Take the room, if there is plenty."""
        if self.in_place or self.free_bytes < 2 * self.size_bytes:
            return
        with contextlib.suppress(OSError), self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.size_bytes)

    def drop(self, needed_bytes: int = 0) -> bool:
        """Give the room back if less than its size, or than `needed_bytes`, is free; whether that helped."""
        if self.free_bytes >= max(self.size_bytes, needed_bytes) or not self._path.exists():
            return False
        self._path.unlink()
        return True


def _write_over(path: Path, data: bytes) -> None:
    """On a full disk, in the place of what is there; so few bytes lie in one sector and are written whole."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _number_in(path: Path) -> tuple[int, bool]:
    """The number, and whether there ought to be one but is not."""
    try:
        content = path.read_bytes()
    except OSError:
        return 0, path.exists()
    is_number = re.fullmatch(rb"[0-9]{1,15}", content) is not None
    return (int(content), False) if is_number else (0, True)
