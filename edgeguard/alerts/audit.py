"""`audit.jsonl`: who asked what of this device, and what became of it; a line for each, chained by hashes.

Each line is one JSON object, and its `prev` is the SHA-256 of the line before it (without the line break), so
that a line that was changed, taken out or put in shows. What was cut off at the end shows against the `head`
that health reports. A full file becomes `audit.1.jsonl`; the chain goes on in the next. A line that a power
cut left half written stays as it is, and the next one is chained to it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeguard.alerts.messages import rfc3339
from edgeguard.alerts.rate import TokenBucket
from edgeguard.clock import Clock
from edgeguard.errors import StorageError

BEGINNING = "0" * 64
"""`prev` of the first line of all."""
_LINES_PER_S, _LINES_AT_ONCE = 1.0, 100
_SUMMARY_EVERY_NS = 60_000_000_000
_TAIL_BYTES = 65_536
"""More than the longest line."""


class AuditLog:
    """Appends to `folder`/audit.jsonl; owned by one thread. Never raises: what it cannot write it counts."""

    def __init__(self, folder: Path, clock: Clock, max_bytes: int = 2 << 20) -> None:
        self.failed = 0
        """Lines that could not be written."""
        self.error: str | None = None
        """Why the last line could not be written; None if it was."""
        self._path = folder / "audit.jsonl"
        self._clock = clock
        self._max_bytes = max_bytes
        self._lines = TokenBucket(clock, _LINES_PER_S, _LINES_AT_ONCE)
        self._unwritten: Counter[tuple[str, str]] = Counter()
        self._summary_ns = 0
        self._head: str | None = None

    @property
    def head(self) -> str | None:
        """SHA-256 of the last line; None before the first line of this run."""
        return self._head

    def done(self, what: str, **details: Any) -> None:
        """Write down a request that was taken up."""
        self._write({"what": what, **details})

    def refused(self, what: str, reason: str, **details: Any) -> None:
        """Write down a request that was not; in a flood, only how many there were."""
        if self._lines.take():
            self._write({"what": what, **details, "outcome": "refused", "reason": reason})
        else:
            self._unwritten[what, reason] += 1

    def tick(self) -> None:
        """Sum up, once a minute, what a flood left unwritten."""
        now_ns = self._clock.monotonic_ns()
        if not self._unwritten or now_ns < self._summary_ns:
            return
        self._summary_ns = now_ns + _SUMMARY_EVERY_NS
        for (what, reason), count in self._unwritten.items():
            self._write({"what": what, "outcome": "refused", "reason": reason, "count": count})
        self._unwritten.clear()

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self._append(entry)
        except OSError as error:
            self.failed += 1
            self.error = f"cannot write {self._path}: {error.strerror}"
            self._head = None
        else:
            self.error = None

    def _append(self, entry: dict[str, Any]) -> None:
        if self._path.exists() and self._path.stat().st_size > self._max_bytes:
            self._head = self._last_hash()
            self._path.replace(_older(self._path))
        start = b"" if self._head or _tail(self._path, 1) in (b"", b"\n") else b"\n"
        entry = {"at": rfc3339(self._clock.utc_ns()), **entry, "prev": self._head or self._last_hash()}
        line = json.dumps(entry).encode()
        with open(self._path, "ab", opener=_private) as file:
            file.write(start + line + b"\n")
        self._head = _hash(line)

    def _last_hash(self) -> str:
        """Of the last line on the disk, whole or torn."""
        for path in (self._path, _older(self._path)):
            if tail := _tail(path, _TAIL_BYTES).rstrip(b"\n"):
                return _hash(tail.rpartition(b"\n")[2])
        return BEGINNING


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at an audit log says."""

    lines: int
    torn: int
    """Lines that a power cut left half written."""
    head: str
    """SHA-256 of the last line, to be compared with what health reported."""
    fault: str | None
    """The first place where the chain does not hold; None if it does."""


def verify(folder: Path) -> Verdict:
    """Read the log in `folder` and follow its chain. Raises StorageError if it cannot be read."""
    if not folder.is_dir():
        raise StorageError(f"there is no folder {folder}; expected the device's state_dir")
    lines = torn = 0
    prev: str | None = None
    fault: str | None = None
    for place, line in _read(folder / "audit.jsonl"):
        told = _prev(line)
        if told is None:
            torn += 1
        elif prev is not None and told != prev:
            fault = fault or f"{place} does not follow the line before it"
        lines, prev = lines + 1, _hash(line)
    return Verdict(lines, torn, prev or BEGINNING, fault)


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    """Place and bytes of each line, oldest first."""
    try:
        for file in (_older(path), path):
            if file.exists():
                lines = file.read_bytes().rstrip(b"\n").split(b"\n")
                for number, line in enumerate(filter(None, lines), 1):
                    yield f"{file.name}:{number}", line
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error


def _prev(line: bytes) -> str | None:
    """The hash that a line names; None if it is no whole line."""
    try:
        return str(json.loads(line)["prev"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _older(path: Path) -> Path:
    return path.with_name("audit.1.jsonl")


def _tail(path: Path, size: int) -> bytes:
    """The last bytes of a file; none if there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(-min(size, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read()
    except FileNotFoundError:
        return b""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
