from __future__ import annotations

import time

from edgeguard.clock import ManualClock, SystemClock, is_synchronised


def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    before = time.monotonic_ns()
    assert before <= clock.monotonic_ns() <= time.monotonic_ns()
    assert abs(clock.utc_ns() - time.time_ns()) < 10**9


def test_a_manual_clock_moves_when_told() -> None:
    clock = ManualClock()
    start = clock.utc_ns()
    clock.advance(1.5)
    assert (clock.monotonic_ns(), clock.utc_ns() - start) == (1_500_000_000, 1_500_000_000)


def test_the_kernel_says_whether_it_is_synchronised() -> None:
    assert is_synchronised() in (True, False)
