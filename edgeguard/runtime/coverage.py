"""Who is told when a source stops giving anything, and when it gives again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edgeguard.runtime.channel import Channel


class Coverage(Protocol):
    """Keeps the book of blind time. Called by every source's thread: returns at once and never raises."""

    def lost(self, source: str, cause: str, at_ns: int) -> None:
        """`source` gives nothing since `at_ns` (monotonic: of the last it gave, or when it was opened).

        `cause` is a word of `edgeguard.coverage.CAUSES`. While it is lost, another cause replaces the one
        before from that time on; `connecting` replaces none.
        """

    def back(self, source: str, at_ns: int) -> None:
        """`source` gives again, since `at_ns` (monotonic). No news while it is not lost."""


class NoCoverage:
    """Keeps no book."""

    def lost(self, source: str, cause: str, at_ns: int) -> None:
        pass

    def back(self, source: str, at_ns: int) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Notice:
    """What a source's thread said; no cause: it gives again."""

    source: str
    cause: str | None
    at_ns: int


class Notices:
    """The way from the sources' threads to the book: only news passes, so it costs a look-up a frame."""

    def __init__(self) -> None:
        self.waiting: Channel[Notice] = Channel(10_000)
        self._causes: dict[str, str] = {}
        """Of what is lost; each source's own thread is the only writer of its entry."""

    def forget(self, source: str) -> None:
        """It is no more; its thread has ended."""
        self._causes.pop(source, None)

    def lost(self, source: str, cause: str, at_ns: int) -> None:
        if self._causes.get(source) != cause and not (cause == "connecting" and source in self._causes):
            self._causes[source] = cause
            self.waiting.put(Notice(source, cause, at_ns))

    def back(self, source: str, at_ns: int) -> None:
        if self._causes.pop(source, None) is not None:
            self.waiting.put(Notice(source, None, at_ns))
