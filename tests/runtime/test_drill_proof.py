"""What proves that a drill passed, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeguard.errors import StorageError, UnavailableError
from edgeguard.runtime.drill_folder import DrillFolder, Record
from edgeguard.runtime.drill_patience import Patience
from edgeguard.runtime.health import State
from edgeguard.types import AlertState, Stages
from tests.support.alerts import alert
from tests.support.drills import HOUR, INTRUSION, SECOND, UTC_NS, Bench


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


@pytest.mark.parametrize(("acknowledged", "kept"), [(True, True), (False, False)])
def test_the_brokers_word_does_not_answer_why_a_subscriber_had_nothing(
    bench: Bench, acknowledged: bool, kept: bool
) -> None:
    bench.ask()
    bench.pass_on("acknowledged" if acknowledged else "committed")
    bench.heard()
    bench.ask("two", subscriber=False)
    bench.pass_on("acknowledged")
    bench.step()
    assert bench.progress["state"] == "passed"
    assert (bench.part.code == "not_received") is kept
    assert bench.folder.record().heard_utc_ns is None
    bench.ask("three")
    bench.pass_on("acknowledged")
    bench.heard("a", drill_id="three")
    assert bench.part.state is State.OK
    assert bench.folder.record().heard_utc_ns == bench.clock.utc_ns()


def test_a_clock_that_was_ahead_keeps_no_watch_asleep(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every_h=24)
    bench.clock.utc_offset_ns += 10 * 365 * 24 * HOUR
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard("a")
    bench.clock.utc_offset_ns -= 10 * 365 * 24 * HOUR
    for _ in range(37):
        bench.step(3600)
    assert bench.part.state is State.OK
    bench.step(2 * 3600)
    assert bench.part.code == "overdue"


def test_a_box_that_was_off_has_a_chance_to_hold_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every_h=24)
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard("a")
    later = Bench(tmp_path, every_h=24)
    later.clock.utc_offset_ns += 100 * HOUR
    later.step()
    later.step(1.9 * 3600)
    assert later.part.state is State.OK
    later.step(0.2 * 3600)
    assert later.part.code == "overdue"
    again = Bench(tmp_path, every_h=24)
    again.clock.utc_offset_ns += 103 * HOUR
    again.step()
    assert (again.part.code, len(again.noticed())) == ("overdue", 1)


def test_outside_of_the_timers_schedule_none_is_overdue() -> None:
    """A weekend is longer than one and a half days."""
    open_now = [True]
    patience = Patience(24, lambda _utc_ns: open_now[0])
    record = Record(watched_utc_ns=UTC_NS, passed_utc_ns=UTC_NS)
    open_now[0] = False
    for hour in range(63):
        record = patience.look(record, UTC_NS + hour * HOUR, hour * HOUR)
    assert not record.overdue
    open_now[0] = True
    record = patience.look(record, UTC_NS + 63 * HOUR, 63 * HOUR)
    assert not record.overdue
    assert patience.look(record, UTC_NS + 64 * HOUR, 64 * HOUR).overdue


def test_two_commands_do_not_take_each_others_connection(tmp_path: Path) -> None:
    with (
        DrillFolder(tmp_path).alone(),
        pytest.raises(UnavailableError, match="somebody else holds a drill"),
        DrillFolder(tmp_path).alone(),
    ):
        pass
    with DrillFolder(tmp_path).alone():
        assert (tmp_path / "drill").is_dir()
    with pytest.raises(StorageError, match="cannot write"), DrillFolder(tmp_path / "nowhere").alone():
        pass
