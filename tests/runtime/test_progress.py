"""Health by progress: a stage whose thread beats and which says that all is well, but does nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgeguard.clock import ManualClock
from edgeguard.runtime import sources, vision
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.paces import INFERENCE, frames, pubacks
from edgeguard.runtime.sources import SourceStage
from edgeguard.types import Frame
from tests.runtime.test_delivery import FINE
from tests.runtime.test_delivery import Bench as Delivering
from tests.runtime.test_sources import Clip, Picture
from tests.runtime.test_vision import Bench as Looking
from tests.support.pictures import grey


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "STEP_S", 0.001)
    monkeypatch.setattr(vision, "STEP_S", 0.001)


class Still(Clip):
    """A camera that gives two pictures and then neither one nor an error."""

    def __init__(self) -> None:
        super().__init__(2)

    def read(self, timeout_s: float) -> Picture | None:
        return super().read(timeout_s) if self._left else None


@pytest.mark.parametrize("pace", [frames(5.0), None])
def test_a_camera_that_gives_nothing_and_does_not_fail_is_told_by_its_age(pace: Any) -> None:
    clock = ManualClock()
    board = HealthBoard(clock)
    part = board.part("camera/gate")
    out: Channel[Picture] = Channel(10)
    capture = SourceStage("capture-gate", Still(), out, part, pace=pace)
    capture.open()
    for _ in range(12):
        capture.step()
        clock.advance(1)
        board.look()
    report = part.report()
    assert report["age_s"] == 11.0
    if pace is None:
        assert report["state"] == "ok", "a file may be read as slowly as it is dealt with"
    else:
        assert (report["state"], report["code"], report["age_limit_s"]) == ("degraded", "no_frames", 5.0)


def test_detection_that_is_dead_while_frames_come_is_told() -> None:
    bench = Looking()
    waiting: Channel[Frame] = Channel(3, WhenFull.WAIT, lambda one: one.source, bench.stage.asked)
    bench.stage.open()
    bench.look()
    assert bench.part.report()["age_s"] == 0.0
    bench.clock.advance(3600)
    bench.board.look()
    assert bench.part.state is State.OK, "no frame came, so none could be looked at"
    for number in range(12):
        waiting.put(grey(sequence=number))
        bench.clock.advance(1)
        bench.board.look()
    assert (bench.part.state, bench.part.code) == (State.DEGRADED, "no_inference")
    assert bench.board.part("vision").state is State.OK
    assert bench.part.report()["owed_s"] == 12.0
    bench.look()
    bench.board.look()
    assert bench.part.state is State.OK


def test_a_detector_that_stands_in_is_told_too_once_it_stops() -> None:
    bench = Looking(model=False)
    bench.stage.open()
    bench.look()
    assert (bench.part.state, bench.part.code) == (State.DEGRADED, "fallback")
    bench.stage.asked(grey())
    bench.clock.advance(INFERENCE.longest_s + 1)
    bench.board.look()
    assert bench.part.code == "no_inference"


def test_a_detector_that_cannot_be_had_is_told_by_its_own_reason() -> None:
    bench = Looking(model=False, fallback=False)
    bench.stage.open()
    bench.stage.asked(grey())
    bench.clock.advance(60)
    bench.board.look()
    assert (bench.part.state, bench.part.code) == (State.DEGRADED, "model_unavailable")


def test_rules_that_are_not_applied_are_told_and_each_camera_has_its_age() -> None:
    bench = Looking()
    bench.stage.open()
    bench.look(source="gate")
    bench.clock.advance(7)
    bench.look(source="dock")
    part = bench.board.part("vision")
    assert part.report()["age_s"] == 0.0
    ages = [bench.stage.analysed_s_ago(name) for name in ("gate", "dock", "yard")]
    assert ages == [pytest.approx(7.1), 0.0, None]
    part.asked()
    bench.clock.advance(11)
    bench.board.look()
    assert (part.state, part.code) == (State.DEGRADED, "no_rules")


def test_a_broker_that_acknowledges_nothing_is_told_by_its_age() -> None:
    bench = Delivering(health_every_s=10.0)
    clock, board = bench.clock, bench.board
    bench.step(replace(FINE, acknowledged=1))
    for _ in range(34):
        clock.advance(1)
        board.look()
    assert bench.broker.state is State.OK
    clock.advance(pubacks(10.0).longest_s - 34 + 0.1)
    board.look()
    assert (bench.broker.state, bench.broker.code) == (State.DEGRADED, "no_pubacks")
    bench.step(replace(FINE, acknowledged=2))
    board.look()
    assert bench.broker.state is State.OK


def test_an_alert_that_is_not_written_down_is_told() -> None:
    bench = Delivering(health_every_s=10.0)
    bench.step(FINE)
    bench.clock.advance(3600)
    bench.board.look()
    assert bench.outbox.state is State.OK
    bench.outbox.asked()
    bench.clock.advance(11)
    bench.step(FINE)
    bench.board.look()
    assert (bench.outbox.state, bench.outbox.code) == (State.DEGRADED, "no_commits")
    bench.step(replace(FINE, committed=10))
    bench.board.look()
    assert bench.outbox.state is State.OK
    assert bench.outbox.report()["age_s"] == 0.0
