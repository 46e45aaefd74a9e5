"""The line of health about the box's clock: who keeps it right, how far off it may be, and its jumps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeguard.alerts.clockwatch import ClockWatch
from edgeguard.clock import ClockState, clock_state
from edgeguard.files import places
from edgeguard.runtime.health import Part, State

_JUMP_IS_NEWS_NS = 60_000_000_000
_SLICES = ("sys/fs/cgroup/system.slice", "sys/fs/cgroup/systemd/system.slice")
"""Where the kernel shows which services of systemd run, without asking systemd."""
_KEEPERS = {
    "chrony": "chrony",
    "chronyd": "chrony",
    "systemd-timesyncd": "timesyncd",
    "ntpsec": "ntpd",
    "ntp": "ntpd",
    "ntpd": "ntpd",
    "openntpd": "ntpd",
    "phc2sys": "ptp",
    "ptp4l": "ptp",
}
"""Services that set the clock, and the word for each; the first that runs counts."""


def keeper(root: Path = Path("/")) -> str | None:
    """Which service sets the clock here; None if none is known to run."""
    services = (service for name in _SLICES for service in places(root / name, "*.service"))
    running = {service.name.removesuffix(".service").partition("@")[0] for service in services}
    return next((word for service, word in _KEEPERS.items() if service in running), None)


class TimeWatch:
    """Keeps the part `clock` of the health report true.

    A clock that nobody sets is `off`: a site may have no time server, and then nothing here is broken. One
    that was kept right and no longer is, or that jumped within the last minute, is a fault.
    """

    def __init__(
        self, part: Part, ask: Callable[[], ClockState | None] = clock_state, root: Path = Path("/")
    ) -> None:
        self._part = part
        self._ask = ask
        self._root = root
        self._jumps = ClockWatch(part.clock)
        self._jumped_ns: int | None = None
        self._was_kept = False
        part.note(jumps=0)

    def refresh(self) -> None:
        state = self._ask()
        kept = state is not None and state.synchronised
        self._was_kept = self._was_kept or kept
        self._note(state)
        self._look_for_jumps(kept)
        self._part.set(*self._judge(state))

    def _note(self, state: ClockState | None) -> None:
        quality = "unknown" if state is None else "synced" if state.synchronised else "unsynced"
        source = state.source if state is not None and state.synchronised else None
        self._part.note(quality=quality, source=(source and keeper(self._root)) or source or "none")
        if state is not None and state.offset_ms is not None:
            self._part.note(offset_ms=round(state.offset_ms, 3))
        if state is not None and state.max_error_ms is not None:
            self._part.note(max_error_ms=round(state.max_error_ms, 3))

    def _look_for_jumps(self, kept: bool) -> None:
        step_ms = self._jumps.step_ms("synced" if kept else "unsynced")
        if step_ms:
            self._jumped_ns = self._part.clock.monotonic_ns()
            self._part.count("jumps")
            self._part.note(last_jump_ms=round(step_ms, 1))

    def _judge(self, state: ClockState | None) -> tuple[State, str | None, str | None]:
        now_ns = self._part.clock.monotonic_ns()
        if self._jumped_ns is not None and now_ns - self._jumped_ns < _JUMP_IS_NEWS_NS:
            return State.DEGRADED, "the clock was set: times from before it are off", "clock_jumped"
        if state is None:
            return State.OFF, "the kernel does not tell whether the clock is kept right", "clock_unknown"
        if state.synchronised:
            return State.OK, None, None
        if self._was_kept:
            return State.DEGRADED, "the clock is no longer kept right by a time server", "clock_unsynced"
        return State.OFF, "no time server keeps the clock right", "clock_unsynced"
