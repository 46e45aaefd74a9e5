"""Who is told when a source stops giving anything, and when it gives again."""

from __future__ import annotations

from typing import Protocol


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
