from __future__ import annotations

from edgeguard.alerts.clockwatch import ClockWatch
from edgeguard.alerts.drafting import ClockStep
from edgeguard.alerts.intake import Intake
from edgeguard.alerts.messages import HealthReport
from edgeguard.clock import ManualClock
from edgeguard.types import AlertState, Severity
from tests.support.alerts import alert


def test_memory_gives_up_records_first_then_the_least_severe_and_never_a_step_of_the_clock() -> None:
    intake = Intake(most=3)
    alarm, step = alert(severity=Severity.ALARM), ClockStep(5.0)
    update = alert(severity=Severity.WARNING, state=AlertState.UPDATED)
    warning, info = alert(severity=Severity.WARNING), alert(severity=Severity.INFO)
    intake.record([alarm, step, update, warning, info, HealthReport("ok", {})])
    intake.give_up_surplus()
    assert list(intake._waiting) == [alarm, step, warning]
    assert (intake.lost, intake.records_lost) == (2, 1)


def test_only_steps_are_steps() -> None:
    clock = ManualClock()
    watch = ClockWatch(clock)
    clock.advance(1000)
    assert watch.step_ms("unsynced") == 0.0
    clock.utc_offset_ns += 400_000_000
    assert watch.step_ms("unsynced") == 0.0
    clock.utc_offset_ns += 200_000_000
    assert watch.step_ms("unsynced") == 600.0, "small steps add up"
    clock.utc_offset_ns -= 20_000_000
    assert watch.step_ms("unsynced") == 0.0
    assert watch.step_ms("synced") == -20.0, "the first synchronisation tells smaller ones, too"
    assert watch.step_ms("synced") == 0.0
