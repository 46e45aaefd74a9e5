"""The only place that reads a clock: constructors elsewhere take a `Clock`."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Two times: monotonic for measuring, UTC for telling."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start; never steps, goes on while the machine is suspended, shared
        by the processes of one boot."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC; may step."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic_ns(self) -> int:
        """Not CLOCK_MONOTONIC, which stands still in a suspended machine: UTC would seem to be stepped by
        that long, and nobody would have been blind."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def utc_ns(self) -> int:
        return time.time_ns()


def slept_ns() -> int:
    """How long this machine was suspended since its start: by so much CLOCK_MONOTONIC, the clock of GStreamer
    and of drivers, is behind ours."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()


_PPS_TIME, _PPS_SIGNAL, _UNSYNCHRONISED, _NANOSECONDS = 0x0004, 0x0100, 0x0040, 0x2000


class Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("unread", ctypes.c_char * 256),
    )


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the kernel says of UTC."""

    synchronised: bool
    source: str | None = None
    """Who sets it: `pps`, a pulse per second, or `ntp`, any service that told the kernel; None: nobody."""
    offset_ms: float | None = None
    """By how much UTC was found to be off, as far as that is not put right yet; None while nobody sets it."""
    max_error_ms: float | None = None
    """How far off it may be at most."""


def clock_state() -> ClockState | None:
    """None where the kernel cannot be asked."""
    timex = Timex()
    try:
        failed = ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0
    except (OSError, AttributeError):
        return None
    return None if failed else state_of(timex)


def state_of(timex: Timex) -> ClockState:
    """What the kernel's answer means."""
    status = timex.status
    if status & _UNSYNCHRONISED:
        return ClockState(synchronised=False)
    source = "pps" if status & _PPS_TIME and status & _PPS_SIGNAL else "ntp"
    per_ms = 1e6 if status & _NANOSECONDS else 1e3
    return ClockState(True, source, timex.offset / per_ms, timex.maxerror / 1e3)


def is_synchronised() -> bool | None:
    """Whether the kernel calls UTC synchronised; None where it cannot be asked."""
    state = clock_state()
    return None if state is None else state.synchronised


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
