"""Where in a recording the hearing is, kept over restarts, so that nothing is heard twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from edgeguard.errors import EndOfStreamError
from edgeguard.types import AudioChunk


class Recording(Protocol):
    """A source that can go on from a sample."""

    name: str
    given: int
    """Samples that were given since the start of the recording."""

    def open(self) -> None: ...

    def read(self, timeout_s: float) -> AudioChunk | None: ...

    def close(self) -> None: ...


class HeardBeforeError(EndOfStreamError):
    """The run before had heard all of it."""


class Bookmark:
    """The file that says how many samples of the recording at `url` were heard; another begins at 0.

    Raises nothing: without it the recording is heard from its start.
    """

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._of = _identity(Path(unquote(urlsplit(url).path)))

    def recall(self) -> int:
        try:
            kept = json.loads(self._path.read_bytes())
            samples = kept["samples"] if kept["of"] == self._of else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0
        return samples if isinstance(samples, int) and samples > 0 else 0

    def keep(self, samples: int) -> None:
        """Not waiting for the disk: it outlasts the end of the process, and mostly a power cut."""
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            part.write_text(json.dumps({"of": self._of, "samples": samples}))
            part.replace(self._path)
        except OSError:
            part.unlink(missing_ok=True)

    def remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return


class BookmarkedSource:
    """Gives what `source` gives, and keeps the place; a recording that was played to its end begins anew.

    The place is kept a second ahead of what is given: what a crash interrupts is not heard again.
    """

    def __init__(self, source: Recording, bookmark: Bookmark, ahead: int = 16_000) -> None:
        self.name = source.name
        self._source = source
        self._bookmark = bookmark
        self._ahead = ahead
        self._resumed = bookmark.recall()
        self._kept = source.given = self._resumed

    def open(self) -> None:
        self._source.open()

    def read(self, timeout_s: float) -> AudioChunk | None:
        try:
            chunk = self._source.read(timeout_s)
        except EndOfStreamError as end:
            self._bookmark.remove()
            resumed, self._resumed, self._kept = self._resumed, 0, 0
            if resumed:
                raise HeardBeforeError("the run before heard it to its end") from end
            raise
        if chunk is not None:
            self._resumed = 0
            if self._source.given > self._kept:
                self._kept = self._source.given + self._ahead
                self._bookmark.keep(self._kept)
        return chunk

    def close(self) -> None:
        """An orderly end: the place is where it is."""
        if 0 < self._source.given < self._kept and not self._resumed:
            self._kept = self._source.given
            self._bookmark.keep(self._kept)
        self._source.close()


def _identity(recording: Path) -> str:
    try:
        about = recording.stat()
    except OSError:
        return ""
    return hashlib.sha256(f"{recording}\n{about.st_size}\n{about.st_mtime_ns}".encode()).hexdigest()
