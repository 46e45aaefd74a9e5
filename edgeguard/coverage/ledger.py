"""The records on disk: files of lines, appended to, turned over by day and size, the oldest given up.

A line counts once it is whole, so that a torn last one costs itself alone. Each file begins with a BEGIN
record that says all there is to know, so that the files before it may go.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgeguard.coverage.records import Record, parse
from edgeguard.errors import StorageError
from edgeguard.files import sync

_FILE_BYTES = 512_000
_DAY_NS = 86_400_000_000_000
PLAUSIBLE_NS = 1_577_836_800_000_000_000
"""2020: a clock that says less was never set, and nothing is given up by it."""


def read(folder: Path) -> Iterator[Record]:
    """Every whole record, oldest first; none where there is no folder. Raises StorageError."""
    for path in _files(folder):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue  # given up meanwhile
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from error
        yield from (record for line in lines if (record := parse(line)) is not None)


@dataclass(slots=True)
class Ledger:
    """Appends to the files in `folder`; one writer at a time."""

    folder: Path
    keep_days: float = 31.0
    max_bytes: int = 16_000_000
    _path: Path | None = field(default=None, init=False)
    _day: int = field(default=-1, init=False)

    def begin(self, record: Record) -> None:
        """Write the first record of a run, or of whatever follows a refusal. Raises StorageError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._path = next(reversed(_files(self.folder)), None)
            if self._path is None or not _is_of_day(self._path, record):
                self._turn_over(record)
            else:
                self._day = record.utc_ns // _DAY_NS
                _end_line(self._path)
                _append(self._path, record)
        except OSError as error:
            raise StorageError(f"cannot write to {self.folder}: {error.strerror}") from error

    def write(self, record: Record, afresh: Record) -> None:
        """Append, and wait for the disk; `afresh` begins the new file that is due. Raises StorageError."""
        assert self._path is not None, "begin first"
        try:
            if self._day != record.utc_ns // _DAY_NS or self._path.stat().st_size > _FILE_BYTES:
                self._turn_over(afresh)
            _append(self._path, record)
        except OSError as error:
            raise StorageError(f"cannot write {self._path}: {error.strerror}") from error

    def _turn_over(self, first: Record) -> None:
        path = self._new()
        try:
            _append(path, first)
        except OSError:
            path.unlink(missing_ok=True)  # or a full disk would get one more with each try
            raise
        self._path = path
        self._day = first.utc_ns // _DAY_NS
        sync(self.folder)
        self._give_up_old(first.utc_ns)

    def _new(self) -> Path:
        numbers = [int(path.stem) for path in _files(self.folder)]
        path = self.folder / f"{max(numbers, default=0) + 1:08d}.jsonl"
        path.touch(mode=0o640)
        return path

    def _give_up_old(self, now_ns: int) -> None:
        files = [*_files(self.folder)]
        total = sum(path.stat().st_size for path in files)
        for path, over_ns in zip(files[:-1], _over_ns(files), strict=True):
            too_old = over_ns < now_ns - self.keep_days * _DAY_NS
            if not too_old and total <= self.max_bytes:
                return
            total -= path.stat().st_size
            path.unlink()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.jsonl") if path.stem.isdecimal())


def _over_ns(files: Sequence[Path]) -> list[float]:
    """When each file but the last was over: once a later one began while the clock was set."""
    over: list[float] = []
    over_ns = math.inf
    for following in reversed(files[1:]):
        began_ns = _began_ns(following)
        over_ns = began_ns if began_ns > PLAUSIBLE_NS else over_ns
        over.append(over_ns)
    return over[::-1]


def _append(path: Path, record: Record) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(record.line())
        file.flush()
        os.fsync(file.fileno())


def _end_line(path: Path) -> None:
    """Let a torn last line be a line by itself."""
    with path.open("rb+") as file:
        if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
            file.write(b"\n")


def _is_of_day(path: Path, record: Record) -> bool:
    return _began_ns(path) // _DAY_NS == record.utc_ns // _DAY_NS


def _began_ns(path: Path) -> int:
    with path.open(encoding="utf-8", errors="replace") as file:
        first = parse(file.readline())
    return first.utc_ns if first else 0
