from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

import _python_share
from _python_share import Meter, metered

from edgeguard.capture.thinning import Thinning


def _busy(milliseconds: int) -> None:
    until_ns = time.thread_time_ns() + milliseconds * 1_000_000
    while time.thread_time_ns() < until_ns:
        pass


def test_the_time_of_a_part_within_another_is_its_own_alone() -> None:
    meter = Meter()
    inner = meter.around(lambda: _busy(20), "inner")

    def work() -> None:
        _busy(5)
        inner()
        _busy(5)

    threads = [threading.Thread(target=meter.around(work, "outer")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used_ns = meter.used_ns()
    assert set(used_ns) == {"outer", "inner"}
    assert 20e6 <= used_ns["outer"] < 35e6
    assert 40e6 <= used_ns["inner"] < 55e6


def test_waiting_and_what_fails_is_measured_too_but_costs_nothing() -> None:
    meter = Meter()

    def fail() -> None:
        time.sleep(0.05)
        raise ValueError

    for _ in range(2):
        try:
            meter.around(fail, "sleeps")()
        except ValueError:
            continue
    assert meter.used_ns()["sleeps"] < 20e6


def test_every_part_is_there_and_is_as_before_afterwards() -> None:
    before = Thinning.spares
    with metered():
        assert Thinning.spares is not before
    assert Thinning.spares is before
    assert {part for *_, part in _python_share._PARTS} > _python_share.NOT_OURS
