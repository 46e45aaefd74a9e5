"""Whether a change did harm."""

from __future__ import annotations

import pytest

from edgeguard.clock import ManualClock
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.proving import Proof


class Bench:
    def __init__(self, **before: str) -> None:
        self.clock = ManualClock()
        self.board = HealthBoard(self.clock)
        self.proof = Proof(self.board, lambda name: name != "other", before, self.clock, 30)

    def look(self, seconds: float = 0) -> bool | None:
        self.clock.advance(seconds)
        return self.proof.look()


def test_what_is_well_for_a_while_is_proved() -> None:
    bench = Bench(camera="ok")
    bench.board.part("camera").set(State.OK)
    assert bench.look() is None
    assert bench.look(4) is True


def test_what_is_well_for_a_moment_only_is_not() -> None:
    bench = Bench(camera="ok")
    part = bench.board.part("camera")
    for state in (State.OK, State.DEGRADED, State.OK):
        part.set(state, "no picture" if state is State.DEGRADED else None)
        assert bench.look(2) is None
    assert bench.look(4) is True


def test_what_stays_worse_fails_with_its_reason() -> None:
    bench = Bench(camera="ok")
    bench.board.part("camera").set(State.DEGRADED, "cannot connect")
    assert bench.look(10) is None
    assert bench.look(21) is False
    assert bench.proof.reason == "camera is degraded: cannot connect"


@pytest.mark.parametrize(
    ("before", "state", "reason", "well"),
    [
        ("degraded", State.DEGRADED, "as ever", True),
        ("off", State.DEGRADED, "another reason", True),
        (None, State.DEGRADED, "cannot connect", False),
        (None, State.STARTING, None, False),
        ("starting", State.STARTING, None, True),
        ("ok", State.ENDED, "played to its end", True),
        ("ok", State.OFF, "its model is not here", False),
        ("ok", State.OFF, "not wanted", True),
        (None, State.OFF, "its model is not here", True),
    ],
)
def test_what_counts_as_worse(before: str | None, state: State, reason: str | None, well: bool) -> None:
    bench = Bench(**({} if before is None else {"part": before}))
    bench.board.part("part").set(state, reason)
    bench.look()
    assert bench.look(31) is well


def test_what_was_not_touched_does_not_count() -> None:
    bench = Bench(other="ok")
    bench.board.part("other").set(State.DEGRADED, "by chance")
    bench.look()
    assert bench.look(4) is True
