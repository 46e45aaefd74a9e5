"""What every camera offers."""

from __future__ import annotations

from typing import Protocol

from edgeguard.types import Frame


class FrameSource(Protocol):
    """A camera: opened, read until it breaks or ends, closed; may be opened again."""

    name: str

    def open(self) -> None:
        """Connect. Raises SourceError or DependencyError."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame to analyse, or None after `timeout_s`.

        Raises EndOfStreamError at the end and SourceError when the source broke or stalled; after either
        only `close` may follow.
        """

    def close(self) -> None:
        """Let go of everything; safe at any time, also twice."""

    def counters(self) -> dict[str, int | float | str]:
        """What health tells of it."""


class RateGate:
    """Picks frames so that about `fps` of them pass, evenly, whatever the source's rate.

    Times may jump in either direction: the gate starts again where they land.
    """

    def __init__(self, fps: float) -> None:
        if fps <= 0:
            raise ValueError(f"fps is {fps}, expected more than 0")
        self._interval_ns = round(1e9 / fps)
        self._slack_ns = self._interval_ns // 20
        self._next_ns: int | None = None

    def would_pick(self, time_ns: int, frame_ns: int) -> bool:
        """Whether it would pass, of frames that are `frame_ns` apart; they may come in any order."""
        if self._next_ns is None:
            return True
        return (time_ns - self._next_ns + self._slack_ns) % self._interval_ns < frame_ns + self._slack_ns

    def passes(self, time_ns: int) -> bool:
        if self._next_ns is None or abs(time_ns - self._next_ns) > 2 * self._interval_ns:
            self._next_ns = time_ns
        if time_ns < self._next_ns - self._slack_ns:
            return False
        self._next_ns += self._interval_ns
        return True
