"""What proves that a drill passed, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeguard.types import AlertState, Stages
from tests.support.alerts import alert
from tests.support.drills import INTRUSION, SECOND, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("state", "captured_s"), [(AlertState.CLOSED, None), (AlertState.CLOSED, 99), (AlertState.UPDATED, -1)]
)
def test_the_last_words_on_the_one_before_prove_nothing(
    bench: Bench, state: AlertState, captured_s: float | None
) -> None:
    """An alert that no sound ends closes half a minute later, when the next drill may be held."""
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard("a")
    bench.step(5)
    bench.ask("two")
    now_ns = bench.clock.monotonic_ns()
    arrived_ns = None if captured_s is None else now_ns + round(captured_s * SECOND)
    old = replace(
        alert(),
        rule=INTRUSION.rule,
        alert_id="a",
        drill=True,
        state=state,
        revision=2,
        stages=Stages(arrived_ns=arrived_ns),
    )
    bench.book.decided(old, now_ns)
    bench.book.published("a", 8, now_ns)
    bench.book.answered(8, now_ns, None)
    bench.heard("a", drill_id="two")
    assert (bench.progress["state"], bench.part.code) == ("missed", "not_captured")
