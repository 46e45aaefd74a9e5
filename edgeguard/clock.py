"""The only place that reads a clock: constructors elsewhere take a `Clock`."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Two times: monotonic for measuring, UTC for telling."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start; never steps, shared by the processes of one boot."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC; may step."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.time_ns()


_UNSYNCHRONISED = 0x40
_TIMEX_BYTES, _STATUS_AT = 208, 40


def is_synchronised() -> bool | None:
    """Whether the kernel calls UTC synchronised (adjtimex(2)); None where it cannot be asked."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        failed = ctypes.CDLL(None).adjtimex(timex) < 0
    except (OSError, AttributeError):
        return None
    status = ctypes.c_int.from_buffer(timex, _STATUS_AT).value
    return None if failed else not status & _UNSYNCHRONISED


@dataclass
class ManualClock:
    """A clock that moves only when told to, for tests, drills and replays."""

    now_ns: int = 0
    utc_offset_ns: int = 1_700_000_000_000_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns

    def utc_ns(self) -> int:
        return self.now_ns + self.utc_offset_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)
