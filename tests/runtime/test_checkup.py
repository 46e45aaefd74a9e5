"""The quick checks in the running guard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from edgeguard.clock import ManualClock
from edgeguard.runtime.checkup import CheckupStage
from edgeguard.runtime.doctor import Check, Finding
from edgeguard.runtime.doctor.finding import fault, fine, warning
from edgeguard.runtime.health import HealthBoard, Part, State
from tests.support.waiting import wait_for

CLOSED = fault("permissions", "others can read it", "its mode is 0644", "chmod 600 secret", "secret")


class Round:
    """A stage whose one check finds `findings`."""

    def __init__(self) -> None:
        self.clock = ManualClock(10**9)
        self.findings: list[Finding] = [fine("disk", "there is room")]
        self.part: Part = HealthBoard(self.clock).part("doctor")
        self.rounds = 0
        self.stage = CheckupStage(self._checks, self.part, self.clock)
        self.stage.open()

    def _checks(self) -> list[Check]:
        self.rounds += 1
        return [Check("permissions", lambda: iter(self.findings))]

    def go(self) -> None:
        """Until the round that is due is over."""
        before = self.rounds
        self.part.note(checked=-1)

        def over() -> bool:
            self.stage.step()
            return self.rounds > before and self.part.report()["checked"] >= 0

        wait_for(over, "a round", 5.0, every_s=0.001)


def test_what_is_well_is_ok() -> None:
    round_ = Round()
    round_.go()
    assert (round_.part.state, round_.part.report()["faults"]) == (State.OK, 0)


def test_a_fault_is_degraded_until_it_is_gone() -> None:
    round_ = Round()
    round_.findings = [fine("disk", "there is room"), CLOSED]
    round_.go()
    assert round_.part.state is State.DEGRADED
    assert round_.part.code == "permissions"
    assert "chmod 600 secret" in (round_.part.reason or "")
    round_.findings = [fine("permissions", "for its owner alone")]
    round_.clock.advance(61)  # sooner than an hour: it may be mended by now
    round_.go()
    assert round_.part.state is State.OK


def test_a_warning_is_counted_and_told_once_an_hour_later_it_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    round_ = Round()
    round_.findings = [warning("clock", "not synchronised", "no server", "set one up")]
    with caplog.at_level(logging.WARNING):
        round_.go()
        round_.clock.advance(3601)
        round_.go()
    assert round_.part.state is State.OK
    assert round_.part.report()["warnings"] == 1
    assert [record.getMessage() for record in caplog.records] == [
        "clock: not synchronised; cause: no server; fix: set one up"
    ]


def test_it_is_not_looked_again_before_an_hour() -> None:
    round_ = Round()
    round_.go()
    round_.clock.advance(3500)
    round_.stage.step()
    round_.stage.step()
    assert round_.rounds == 1


def test_a_check_that_hangs_holds_nobody_up() -> None:
    clock, held = ManualClock(10**9), threading.Event()
    part = HealthBoard(clock).part("doctor")

    def hang() -> Iterator[Finding]:
        held.wait(20)
        yield CLOSED

    stage = CheckupStage(lambda: [Check("disk", hang, limit_s=5)], part, clock)
    stage.open()
    for _ in range(4):
        stage.step()  # each returns at once
    clock.advance(6)
    stage.step()
    stage.step()
    held.set()
    assert part.state is State.DEGRADED
    assert "did not end within 5 s" in (part.reason or "")


def test_a_check_that_hangs_is_not_begun_again_until_it_ends() -> None:
    """A thread more each minute would be all that the guard may have within hours."""
    clock, held, begun = ManualClock(10**9), threading.Event(), []
    part = HealthBoard(clock).part("doctor")

    def hang() -> list[Finding]:
        begun.append(None)
        held.wait(20)
        return [fine("disk", "there is room")]

    stage = CheckupStage(lambda: [Check("disk", hang, limit_s=5)], part, clock)
    stage.open()

    def round_() -> None:
        for _ in range(5):
            stage.step()
        clock.advance(61)

    for _ in range(3):
        round_()
    assert len(begun) == 1
    assert part.state is State.DEGRADED
    held.set()
    for thread in threading.enumerate():
        if thread.name == "doctor-disk":
            thread.join()
    for _ in range(2):
        round_()
    assert part.state is State.OK
