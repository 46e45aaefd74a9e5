from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edgeguard.clock import ManualClock, SystemClock
from edgeguard.errors import EndOfStreamError
from edgeguard.runtime import daemon as daemon_module
from edgeguard.runtime.daemon import Crew, Daemon
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.notify import Notifier
from edgeguard.runtime.stage import Stage, StageThread
from tests.support.waiting import wait_for


@pytest.fixture(autouse=True)
def _own_signals_and_quick_looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(daemon_module, "_LOOK_S", 0.01)
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
    }
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    faulthandler.enable(sys.__stderr__)


class Worker(Stage):
    """Writes down its life; ends by itself where told to."""

    def __init__(self, house: House, name: str, *, ends: bool = False, hangs: bool = False) -> None:
        self.name = name
        self._house = house
        self._ends = ends
        self._hangs = hangs

    def open(self) -> None:
        self._house.diary.append(f"open {self.name}")

    def step(self) -> None:
        self._house.board.part(self.name).set(State.OK)
        if self._ends:
            raise EndOfStreamError("played to its end")
        self._house.released.wait(30 if self._hangs else 0.005)

    def finish(self) -> None:
        self._house.diary.append(f"finish {self.name}")


class Told(Notifier):
    """A systemd that remembers."""

    def __init__(self, watchdog_us: int | None = None) -> None:
        super().__init__(None, watchdog_us)
        self.lines: list[str] = []

    def send(self, state: str) -> None:
        self.lines.append(state)


class House:
    """A daemon of four workers, and what it says."""

    def __init__(self, clock: Any = None, **camera: bool) -> None:
        self.clock = clock or SystemClock()
        self.board = HealthBoard(self.clock)
        self.diary: list[str] = []
        self.released = threading.Event()
        self.notifier = Told()
        self.health_told = 0
        self.looked = 0
        """How often the daemon looked."""
        self.drained: Callable[[], bool] = lambda: True
        self.crew = Crew(
            tellers=[self._thread("outbox"), self._thread("alerts")],
            thinkers=[self._thread("vision")],
            sources=[self._thread("camera", **camera)],
        )

    def _thread(self, name: str, **nature: bool) -> StageThread:
        return StageThread(Worker(self, name, **nature), self.board.part(name), self.clock)

    def _look(self) -> None:
        self.looked += 1

    def daemon(self, **other: Any) -> Daemon:
        self.board.look = self._look  # type: ignore[method-assign]
        return Daemon(
            self.crew,
            self.board,
            self.clock,
            tell_health=self._tell_health,
            drained=lambda: self.drained(),
            refresh=lambda: None,
            notifier=self.notifier,
            **other,
        )

    def run(self, until: Callable[[], bool] = lambda: True, **other: Any) -> None:
        """Run until SIGTERM, which comes as soon as `until` holds after all stages have opened."""

        def terminate() -> None:
            opened = [f"open {thread.stage.name}" for thread in self.crew.everyone]
            while not (set(opened) <= set(self.diary) and until()):
                threading.Event().wait(0.01)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=terminate, daemon=True).start()
        self.daemon(**other).run()

    def _tell_health(self) -> None:
        self.health_told += 1


def test_the_last_to_go_is_who_tells() -> None:
    house = House()
    house.run()
    finished = [line for line in house.diary if line.startswith("finish")]
    assert finished == ["finish camera", "finish vision", "finish alerts", "finish outbox"]
    assert not any(thread.alive for thread in house.crew.everyone)


def test_systemd_hears_ready_then_signs_of_life_then_stopping() -> None:
    house = House()
    house.run(until=lambda: "STATUS=ok" in house.notifier.lines and house.notifier.lines[-1] == "WATCHDOG=1")
    ready = house.notifier.lines.index("READY=1")
    before, lines = house.notifier.lines[:ready], house.notifier.lines[ready:]
    assert set(before) <= {"EXTEND_TIMEOUT_USEC=60000000", "WATCHDOG=1"}
    assert set(lines[1:-1]) == {"STATUS=ok", "WATCHDOG=1"}
    assert lines.count("STATUS=ok") == 1
    assert lines[-1] == "STOPPING=1"


def test_it_is_not_ready_while_a_part_is_still_starting() -> None:
    house = House()
    slow = house.board.part("detector")
    house.run(until=lambda: house.notifier.lines.count("WATCHDOG=1") >= 2)
    assert slow.state is State.STARTING
    assert not [line for line in house.notifier.lines if "READY" in line]
    assert "EXTEND_TIMEOUT_USEC=60000000" in house.notifier.lines, "systemd waits on, as none is stuck"


def test_a_change_is_told_at_once() -> None:
    house = House()
    told_before: list[int] = []

    def told_again() -> bool:
        if not told_before and house.health_told:
            told_before.append(house.health_told)
            house.board.part("camera").set(State.DEGRADED, "unplugged")
        return bool(told_before) and house.health_told > told_before[0]

    house.run(until=told_again, health_every_s=3600)
    assert house.health_told > told_before[0] >= 1


def test_until_done_ends_when_the_sources_have_ended_and_all_is_dealt_with() -> None:
    house = House(ends=True)
    waiting = [True] * 3
    house.drained = lambda: not (waiting and waiting.pop())
    house.daemon(until_done=True).run()
    assert house.board.part("camera").state is State.ENDED
    assert waiting == []


def test_until_done_does_not_wait_for_its_own_health_reports() -> None:
    house = House(ends=True)
    on_their_way: list[str] = []
    house.drained = lambda: not on_their_way

    def tell() -> None:
        on_their_way.append("a report")
        threading.Timer(0.01, on_their_way.clear).start()

    daemon = house.daemon(until_done=True, health_every_s=0.0)
    daemon.tell_health = tell
    too_late = threading.Timer(20, lambda: os.kill(os.getpid(), signal.SIGTERM))
    too_late.start()
    daemon.run()
    assert too_late.is_alive()
    too_late.cancel()


class Slow:
    """Moves the clock a little at a time, so that the daemon looks in between."""

    def __init__(self, house: House, clock: ManualClock) -> None:
        self._house = house
        self._clock = clock
        self._told = 0

    def passes(self, seconds: float) -> bool:
        """Whether so much time has passed; to be called again and again."""
        told = self._house.looked
        if told > self._told + 1 and self._clock.now_ns < seconds * 1e9:
            self._told = told
            self._clock.advance(4)
        return self._clock.now_ns >= seconds * 1e9 and told > self._told + 2


def test_a_stuck_stage_stops_the_signs_of_life_and_shows_where_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    house = House(clock, hangs=True)
    slow = Slow(house, clock)
    fed: list[int] = []

    def long_after_it_got_stuck() -> bool:
        if slow.passes(36):
            fed.append(house.notifier.lines.count("WATCHDOG=1"))
        return len(fed) > 30

    house.run(until=long_after_it_got_stuck)
    assert fed[-1] == fed[0] > 0
    camera = house.board.part("camera")
    assert (camera.state, camera.code) == (State.DEGRADED, "stuck")
    assert house.board.part("vision").state is State.OK
    shown = [record for record in caplog.records if record.getMessage().startswith("stuck: camera")]
    assert len(shown) == 1, "the stacks are shown once"
    assert "STUCK thread camera (0x" in shown[0].getMessage()
    assert "thread vision (0x" in shown[0].getMessage()
    assert "self._house.released.wait" in shown[0].getMessage()
    house.released.set()


def test_a_stage_that_comes_back_is_no_longer_stuck() -> None:
    clock = ManualClock()
    house = House(clock, hangs=True)
    slow = Slow(house, clock)
    camera = house.board.part("camera")
    fed: list[int] = []

    def back() -> bool:
        if slow.passes(36) and not fed:
            assert camera.code == "stuck"
            fed.append(house.notifier.lines.count("WATCHDOG=1"))
            house.released.set()
        return bool(fed) and house.notifier.lines.count("WATCHDOG=1") > fed[0] + 2

    house.run(until=back)
    assert camera.state is State.OK


def test_a_process_that_stood_still_blames_no_stage(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    house = House(clock)
    jumps: list[int] = []

    def after_jumps() -> bool:
        if len(jumps) < 3 and house.looked > 3 * (len(jumps) + 1):
            clock.advance(100)
            jumps.append(house.looked)
        return len(jumps) == 3 and house.looked > jumps[-1] + 3

    house.run(until=after_jumps)
    assert not [record for record in caplog.records if "stuck" in record.getMessage()]


def test_on_a_starved_machine_a_stage_that_hangs_is_found_all_the_same() -> None:
    clock = ManualClock(10**12)
    house = House(clock, hangs=True)
    daemon = house.daemon()
    thread = house.crew.sources[0]
    thread.start()
    wait_for(lambda: thread.part.state is State.OK, "it works until it hangs")
    found = []
    for _ in range(5):
        found.append(daemon._find_stuck(clock.now_ns))
        clock.advance(40)
    assert found == [False, False, False, True, True], "15 s count of each 40 in which it was looked at once"
    house.released.set()


def test_a_stage_may_take_its_time_to_open() -> None:
    clock = ManualClock()
    house = House(clock)
    thread = house.crew.thinkers[0]
    thread.stage.open_s = 240.0
    begun, gate = threading.Event(), threading.Event()
    thread.stage.open = lambda: begun.set() or gate.wait()  # type: ignore[method-assign, assignment, func-returns-value]
    thread.start()
    assert begun.wait(10)
    clock.advance(239)
    assert not thread.is_stuck(clock.now_ns, 15.0)
    clock.advance(2)
    assert thread.is_stuck(clock.now_ns, 15.0)
    gate.set()
    thread.ask_to_stop()
    assert thread.join(5)
    assert not thread.is_stuck(clock.now_ns + 10**12, 15.0)


@pytest.mark.parametrize(("watchdog_us", "stuck_s"), [(None, 30.0), (30_000_000, 15.0), (3_000_000, 1.5)])
def test_a_stage_is_stuck_in_half_of_what_the_watchdog_allows(
    watchdog_us: int | None, stuck_s: float
) -> None:
    house = House()
    house.notifier = Told(watchdog_us)
    assert house.daemon().stuck_s == stuck_s


def test_a_stage_that_does_not_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "_STOP_S", 0.3)
    monkeypatch.setattr(daemon_module, "_LAST_WORDS_S", 0.05)
    house = House(hangs=True)
    house.run()
    assert house.diary[-1] == "finish outbox"
    assert [thread.stage.name for thread in house.crew.everyone if thread.alive] == ["camera"]
    house.released.set()


def test_stages_that_hang_together_are_waited_for_together() -> None:
    clock = ManualClock()
    house = House(clock)

    class Hung(StageThread):
        def start(self) -> None:
            house.diary.append(f"open {self.stage.name}")

        def join(self, timeout_s: float) -> bool:
            clock.advance(timeout_s)
            return False

    cameras = [Hung(Worker(house, "camera"), house.board.part("camera"), clock) for _ in range(20)]
    house.crew = Crew(house.crew.tellers, house.crew.thinkers, cameras)
    house.run()
    groups_after = 3
    waited_s = daemon_module._STOP_S - groups_after * daemon_module._LAST_WORDS_S
    assert clock.now_ns == round(waited_s * 1e9)
