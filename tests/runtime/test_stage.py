from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from edgeguard.clock import ManualClock, SystemClock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.paces import DECISIONS
from edgeguard.runtime.stage import Stage, StageThread
from tests.support.waiting import wait_for


class Scripted(Stage):
    """A stage whose steps are scripted; the last one repeats."""

    name = "scripted"

    def __init__(self, part: Part, *script: BaseException | None) -> None:
        self._part = part
        self._script = list(script)
        self.opened = 0
        self.closed = 0

    def open(self) -> None:
        self.opened += 1

    def step(self) -> None:
        act = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if act:
            raise act
        self._part.set(State.OK)
        time.sleep(0.001)

    def close(self) -> None:
        self.closed += 1


def run(*script: BaseException | None, until: Callable[[Scripted, Part], bool]) -> tuple[Scripted, Part]:
    part = HealthBoard(SystemClock()).part("scripted")
    stage = Scripted(part, *script)
    thread = StageThread(stage, part, SystemClock(), retry_s=(0.001, 0.002))
    thread.start()
    deadline = time.monotonic() + 10
    while not until(stage, part) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert until(stage, part)
    thread.ask_to_stop()
    assert thread.join(5)
    return stage, part


def test_a_failing_step_closes_and_opens_again_until_it_works() -> None:
    stage, part = run(
        SourceError("away"),
        SourceError("away"),
        None,
        until=lambda stage, part: stage.opened == 3 and part.state is State.OK,
    )
    assert stage.closed == stage.opened == 3
    assert part.reason is None


@pytest.mark.parametrize("panic", [SystemExit(1), KeyboardInterrupt(), BaseException("a library's panic")])
def test_what_is_no_exception_does_not_end_the_thread_either(panic: BaseException) -> None:
    stage, _ = run(panic, None, until=lambda stage, part: stage.opened == 2 and part.state is State.OK)
    assert stage.closed == 2


def test_a_thread_that_died_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    clock = SystemClock()
    part = HealthBoard(clock).part("scripted")
    stage = Scripted(part, None)
    thread = StageThread(stage, part, clock)
    assert not thread.is_stuck(clock.monotonic_ns(), 30.0), "it was not started yet"
    monkeypatch.setattr(thread, "_rest", lambda: 1 / 0)
    thread.start()
    wait_for(lambda: stage.opened, "it runs")
    thread.ask_to_stop()
    assert thread.join(5)
    assert thread.is_stuck(clock.monotonic_ns(), 30.0)


def test_a_thread_that_came_to_its_end_is_not_stuck() -> None:
    clock = SystemClock()
    part = HealthBoard(clock).part("scripted")
    stage = Scripted(part, EndOfStreamError("over"))
    thread = StageThread(stage, part, clock)
    part.hang("it came to its end late")
    thread.start()
    assert thread.join(5)
    assert stage.opened == 1
    assert not thread.is_stuck(clock.monotonic_ns() + 10**12, 30.0)


def test_what_a_failure_lost_is_not_waited_for() -> None:
    clock = ManualClock()
    part = HealthBoard(clock).part("scripted")
    part.expect(DECISIONS)
    part.asked()
    StageThread(Scripted(part, None), part, clock)._fail(ValueError("a bug"))
    part.set(State.OK)
    clock.advance(3600)
    part.look()
    assert part.state is State.OK, "nothing else came"


class Overloaded(Stage):
    """Works, less than it should, and is cut off at every third step."""

    name = "overloaded"

    def __init__(self, part: Part) -> None:
        self._part = part
        self.opened = self._steps = 0

    def open(self) -> None:
        self.opened += 1

    def step(self) -> None:
        self._steps += 1
        if self._steps % 3 == 0:
            raise SourceError("cut off")
        self._part.worked()
        self._part.set(State.DEGRADED, "too much for this box")


def test_one_that_works_less_than_it_should_is_tried_again_soon_all_the_same() -> None:
    part = HealthBoard(SystemClock()).part("camera/gate")
    stage = Overloaded(part)
    thread = StageThread(stage, part, SystemClock(), retry_s=(0.001, 30.0))
    thread.start()
    deadline = time.monotonic() + 5
    while stage.opened < 4 and time.monotonic() < deadline:
        time.sleep(0.001)
    thread.ask_to_stop()
    assert thread.join(5)
    assert stage.opened >= 4


def test_a_failure_is_health_with_its_reason() -> None:
    _, part = run(SourceError("camera unplugged"), until=lambda _, part: part.state is State.DEGRADED)
    assert part.reason == "camera unplugged"


def test_a_bug_degrades_its_stage_only() -> None:
    _, part = run(ZeroDivisionError("oops"), until=lambda _, part: part.state is State.DEGRADED)
    assert part.reason == "oops"


def test_the_end_is_an_end() -> None:
    stage, part = run(EndOfStreamError("played"), until=lambda _, part: part.state is State.ENDED)
    assert (stage.opened, stage.closed) == (1, 1)
    assert part.reason == "played"


def test_where_tries_are_counted_it_gives_up() -> None:
    part = HealthBoard(SystemClock()).part("scripted")
    stage = Scripted(part, SourceError("no such file"))
    thread = StageThread(stage, part, SystemClock(), retry_s=(0.001,), tries=3)
    thread.start()
    assert thread.join(5)
    assert stage.opened == 3
    assert part.report()["failures"] == 3
    assert part.state is State.DEGRADED


def test_a_refused_login_is_not_tried_again_soon() -> None:
    refused = SourceError("refused the login", "refused_login")
    stage, _ = run(refused, None, until=lambda stage, part: part.state is State.DEGRADED)
    assert stage.opened == 1


def test_an_errand_is_run_by_the_stages_own_thread_between_two_steps() -> None:
    class Idle(Stage):
        name = "idle"

        def step(self) -> None:
            threading.Event().wait(0.01)

    thread = StageThread(Idle(), Part("idle", SystemClock()), SystemClock())
    thread.start()
    try:
        assert thread.between(lambda: threading.current_thread().name).result(5) == "idle"
        with pytest.raises(ZeroDivisionError):
            thread.between(lambda: 1 // 0).result(5)
        assert thread.alive
    finally:
        thread.ask_to_stop()
        assert thread.join(5)
