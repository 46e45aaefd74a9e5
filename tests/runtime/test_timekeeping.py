from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.clock import ClockState, ManualClock
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.timekeeping import TimeWatch, keeper

KEPT = ClockState(True, "ntp", 0.4213, 12.5)
LOOSE = ClockState(False)


class Bench:
    def __init__(self, root: Path) -> None:
        self.clock = ManualClock()
        self.state: ClockState | None = KEPT
        self.part: Part = HealthBoard(self.clock).part("clock")
        self.watch = TimeWatch(self.part, lambda: self.state, root)

    def look(self, state: ClockState | None = KEPT, after_s: float = 10.0) -> Part:
        self.state = state
        self.clock.advance(after_s)
        self.watch.refresh()
        return self.part


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_clock_that_is_kept_right_tells_by_whom_and_how_well(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "sys/fs/cgroup/system.slice/chrony.service").mkdir(parents=True)
    part = bench.look()
    assert (part.state, part.code) == (State.OK, None)
    assert part.counters == {
        "quality": "synced",
        "source": "chrony",
        "offset_ms": 0.421,
        "max_error_ms": 12.5,
        "jumps": 0,
    }


@pytest.mark.parametrize(
    ("state", "code", "quality"),
    [(LOOSE, "clock_unsynced", "unsynced"), (None, "clock_unknown", "unknown")],
)
def test_a_clock_that_nobody_keeps_is_no_fault_of_ours(
    bench: Bench, state: ClockState | None, code: str, quality: str
) -> None:
    part = bench.look(state)
    assert (part.state, part.code) == (State.OFF, code)
    assert (part.counters["quality"], part.counters["source"]) == (quality, "none")


def test_a_clock_that_was_kept_right_and_no_longer_is_is_a_fault(bench: Bench) -> None:
    bench.look()
    part = bench.look(LOOSE)
    assert (part.state, part.code) == (State.DEGRADED, "clock_unsynced")
    assert bench.look().state is State.OK


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 0.6])
def test_a_jump_is_news_for_a_minute_and_counted_for_ever(bench: Bench, jump_s: float) -> None:
    bench.look()
    bench.clock.utc_offset_ns += round(jump_s * 1e9)
    part = bench.look()
    assert (part.state, part.code) == (State.DEGRADED, "clock_jumped")
    assert (part.counters["jumps"], part.counters["last_jump_ms"]) == (1, jump_s * 1000)
    assert bench.look(after_s=49).state is State.DEGRADED
    part = bench.look(after_s=11)
    assert part.state is State.OK
    assert part.counters["jumps"] == 1


def test_slewing_is_no_jump(bench: Bench) -> None:
    bench.look()
    for _ in range(20):
        bench.clock.utc_offset_ns += 20_000_000
        assert bench.look().state is State.OK


@pytest.mark.parametrize(
    ("service", "word"),
    [
        ("systemd/system.slice/systemd-timesyncd.service", "timesyncd"),
        ("system.slice/ntpsec.service", "ntpd"),
        ("system.slice/phc2sys@eth0.service", "ptp"),
        ("system.slice/cron.service", None),
    ],
)
def test_whoever_keeps_the_clock_is_seen_by_its_service(
    tmp_path: Path, service: str, word: str | None
) -> None:
    (tmp_path / "sys/fs/cgroup" / service).mkdir(parents=True)
    assert keeper(tmp_path) == word
