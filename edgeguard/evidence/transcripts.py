"""What was said, where a site keeps it: `<day>/<microphone>.jsonl`, one sentence a line, for a few days."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.files import remove

_DAY = "%Y-%m-%d"
_HOUR_NS = 3_600 * 10**9


@dataclass(frozen=True, slots=True)
class Sentence:
    """One utterance."""

    microphone: str
    at: str
    """UTC, RFC 3339."""
    text: str


class Transcripts:
    """A folder of sentences, readable by the service alone; days are UTC's.

    A torn last line, which a power cut leaves, is no sentence and does not hide the others.
    """

    def __init__(
        self, root: Path, clock: Clock, max_days: float, ages_to: Callable[[], int] | None = None
    ) -> None:
        """`ages_to` is the UTC (ns) that ages are counted to, in place of the clock's."""
        self._root = root
        self._clock = clock
        self._max_days = max_days
        self._ages_to = ages_to or clock.utc_ns
        self._tidied_hour: int | None = None

    def keep(self, microphone: str, utc_ns: int, text: str) -> None:
        """Append a sentence. Raises StorageError."""
        at = datetime.fromtimestamp(utc_ns / 1e9, timezone.utc)
        line = {"at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "text": text}
        folder = self._root / at.strftime(_DAY)
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._append(folder / f"{microphone}.jsonl", json.dumps(line, ensure_ascii=False))
        except OSError as error:
            raise StorageError(f"cannot keep transcripts in {self._root}: {error.strerror}") from error

    def read(self, day: str | None = None, microphone: str | None = None) -> Iterator[Sentence]:
        """Sentences by day and microphone. Raises StorageError."""
        try:
            for path in sorted(self._root.glob(f"{day or '*'}/{microphone or '*'}.jsonl")):
                for line in path.read_text("utf-8", errors="replace").splitlines():
                    if (sentence := _sentence(path.stem, line)) is not None:
                        yield sentence
        except OSError as error:
            raise StorageError(f"cannot read transcripts in {self._root}: {error.strerror}") from error

    def delete(self, day: str | None = None, microphone: str | None = None) -> int:
        """Remove files of that day and microphone, all of them for None; returns how many."""
        paths = list(self._root.glob(f"{day or '*'}/{microphone or '*'}.jsonl"))
        try:
            for path in paths:
                path.unlink()
        except OSError as error:
            raise StorageError(f"cannot delete {error.filename}: {error.strerror}") from error
        return len(paths)

    def tidy(self) -> None:
        """Remove the days that are too old; looks once an hour, however often asked. Raises StorageError."""
        hour = self._clock.utc_ns() // _HOUR_NS
        if hour == self._tidied_hour:
            return
        self._tidied_hour = hour
        try:
            for folder in self.surplus():
                remove(folder)
        except OSError as error:
            raise StorageError(f"cannot delete old transcripts in {self._root}: {error.strerror}") from error

    def surplus(self) -> list[Path]:
        """The folders of the days that are too old. Raises OSError."""
        now = datetime.fromtimestamp(self._ages_to() / 1e9, timezone.utc)
        oldest = (now - timedelta(days=self._max_days)).strftime(_DAY)
        return sorted(folder for folder in self._root.glob("????-??-??") if folder.name < oldest)

    @staticmethod
    def _append(path: Path, line: str) -> None:
        """A torn line is ended first, so that it takes no other with it."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(fd, "ab") as file:
            size = os.fstat(fd).st_size
            torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            file.write(("\n" * torn + line + "\n").encode())


def _sentence(microphone: str, line: str) -> Sentence | None:
    try:
        fields = json.loads(line)
        return Sentence(microphone, str(fields["at"]), str(fields["text"]))
    except (ValueError, KeyError, TypeError):
        return None
