from __future__ import annotations

import time

import pytest

from edgeguard import clock as clock_module
from edgeguard.alerts.clockwatch import ClockWatch
from edgeguard.clock import (
    ClockState,
    ManualClock,
    SystemClock,
    Timex,
    clock_state,
    is_synchronised,
    slept_ns,
    state_of,
)
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.timekeeping import TimeWatch

S, UTC_NS = 10**9, 1_700_000_000 * 10**9


def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    now_ns = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME)  # noqa: E731
    before = now_ns()
    assert before <= clock.monotonic_ns() <= now_ns()
    assert abs(clock.utc_ns() - time.time_ns()) < 10**9


def test_a_machine_that_was_suspended_has_not_had_its_clock_set(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {time.CLOCK_BOOTTIME: 100 * S, time.CLOCK_MONOTONIC: 100 * S, time.CLOCK_REALTIME: UTC_NS}
    monkeypatch.setattr(clock_module.time, "clock_gettime_ns", now.__getitem__)
    monkeypatch.setattr(clock_module.time, "monotonic_ns", lambda: now[time.CLOCK_MONOTONIC])
    monkeypatch.setattr(clock_module.time, "time_ns", lambda: now[time.CLOCK_REALTIME])
    watch, part = ClockWatch(SystemClock()), Part("clock", SystemClock())
    health = TimeWatch(part, lambda: ClockState(True, "ntp"))
    now[time.CLOCK_BOOTTIME] += 3600 * S
    now[time.CLOCK_REALTIME] += 3600 * S
    health.refresh()
    assert watch.step_ms("synced") == 0.0
    assert (part.state, part.report()["jumps"]) == (State.OK, 0)
    assert slept_ns() == 3600 * S
    now[time.CLOCK_REALTIME] += 60 * S
    assert watch.step_ms("synced") == 60_000.0


def test_a_manual_clock_moves_when_told() -> None:
    clock = ManualClock()
    start = clock.utc_ns()
    clock.advance(1.5)
    assert (clock.monotonic_ns(), clock.utc_ns() - start) == (1_500_000_000, 1_500_000_000)


def test_the_kernel_says_whether_it_is_synchronised() -> None:
    assert is_synchronised() in (True, False)


def test_the_kernel_tells_its_state_and_it_is_of_one_piece() -> None:
    state = clock_state()
    assert state is not None
    assert state.synchronised == (state.source is not None) == (state.max_error_ms is not None)


def kernel(status: int, offset: int = 0, max_error_us: int = 0) -> Timex:
    return Timex(status=status, offset=offset, maxerror=max_error_us)


def test_what_the_kernel_says_of_a_clock_is_read_in_its_units() -> None:
    assert state_of(kernel(0x2001, -1_500_000, 21_500)) == ClockState(True, "ntp", -1.5, 21.5)
    assert state_of(kernel(0x0001, -1_500, 21_500)) == ClockState(True, "ntp", -1.5, 21.5)
    assert state_of(kernel(0x0106, 4_000, 10)) == ClockState(True, "pps", 4.0, 0.01)
    assert state_of(kernel(0x2041, 77, 16_000_000)) == ClockState(False), "what is not set is not measured"
