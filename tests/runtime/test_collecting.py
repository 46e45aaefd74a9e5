"""When the collector looks, and when it must not judge."""

from __future__ import annotations

from typing import Any

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.runtime.collecting import AuditStage
from edgeguard.runtime.health import HealthBoard


class Looks:
    """Stands for what is looked with: notes whether it was said to hear, and has something left to sweep."""

    def __init__(self) -> None:
        self.heard: list[bool] = []
        self.left = 3
        self.fails = False
        self.hears, self.link = True, object()

    def look(self, hears: bool) -> None:
        if self.fails:
            raise StorageError("away")
        self.heard.append(hears)

    def sweep(self) -> bool:
        self.left -= 1
        return self.left > 0


def stage(looks: Any, clock: ManualClock) -> AuditStage:
    return AuditStage(looks, lambda _link: (looks, looks), 5.0, clock, HealthBoard(clock).part("audit"))


def step(audit: AuditStage, clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    try:
        audit.step()
    except StorageError:
        audit.close()


def test_after_a_while_without_a_database_nobody_counts_as_silent_at_once() -> None:
    clock, looks = ManualClock(), Looks()
    audit = stage(looks, clock)
    step(audit, clock, 0)
    step(audit, clock, 5)
    looks.fails = True
    step(audit, clock, 5)
    step(audit, clock, 30)
    looks.fails = False
    step(audit, clock, 5)
    step(audit, clock, 5)
    assert looks.heard == [True, True, False, True]


def test_it_sweeps_without_waiting_for_the_next_look_while_there_is_more() -> None:
    clock, looks = ManualClock(), Looks()
    audit = stage(looks, clock)
    for _ in range(5):
        step(audit, clock, 0.25)
    assert looks.left == 0
    assert looks.heard == [True]
