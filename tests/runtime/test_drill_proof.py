"""What proves that a drill passed, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError, UnavailableError
from edgeguard.runtime.assembly.house import House
from edgeguard.runtime.drill_folder import DrillFolder, Record
from edgeguard.runtime.drill_patience import Patience
from edgeguard.runtime.health import State
from edgeguard.types import AlertState, Detections, Stages, drill
from tests.config.trees import built, tree
from tests.support.alerts import alert
from tests.support.drills import HOUR, INTRUSION, SECOND, UTC_NS, Bench
from tests.support.pictures import grey


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
    bench.step(3600)
    bench.step(3600)
    assert bench.part.code == "overdue"


def test_a_box_that_was_off_has_a_chance_to_hold_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every_h=24)
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard("a")
    later = Bench(tmp_path, every_h=24)
    later.clock.utc_offset_ns += 100 * HOUR
    later.step()
    later.step(0.95 * 3600)
    later.step(0.95 * 3600)
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


def test_who_was_suspended_has_its_chance_once_it_wakes_up() -> None:
    patience = Patience(24)
    record = Record(watched_utc_ns=UTC_NS, passed_utc_ns=UTC_NS)
    for hour in (0, 100, 100.5):
        record = patience.look(record, UTC_NS + round(hour * HOUR), round(hour * HOUR))
        assert not record.overdue
    assert patience.look(record, UTC_NS + 101 * HOUR, 101 * HOUR).overdue


def test_two_commands_do_not_take_each_others_connection(tmp_path: Path) -> None:
    with (
        DrillFolder(tmp_path).alone(),
        pytest.raises(UnavailableError, match="somebody else holds a drill"),
        DrillFolder(tmp_path).alone(),
    ):
        pass
    with DrillFolder(tmp_path).alone():
        assert (tmp_path / "drill").is_dir()
    with pytest.raises(UnavailableError, match="does not run"), DrillFolder(tmp_path / "nowhere").alone():
        pass
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write"), DrillFolder(tmp_path / "file").alone():
        pass


def test_what_a_change_of_the_configuration_cut_short_is_no_alarm(bench: Bench) -> None:
    bench.ask()
    bench.changed = True
    bench.heard()
    assert bench.progress["state"] == "missed"
    assert bench.progress["reason"].startswith("the configuration was changed meanwhile, hold it again: ")
    assert (bench.part.state, bench.folder.record().missed, bench.noticed()) == (State.OK, 0, [])


def test_a_drawn_figure_need_not_be_surer_than_a_drawing_can_be(tmp_path: Path) -> None:
    """A site may ask for more of what is real."""
    cameras = {"gate": {"url": "rtsp://192.0.2.10/1", "detector": {"confidence": 0.9}}}
    config = tree(state_dir=str(tmp_path), cameras=cameras, tracker={"confirm_frames": 30}, rules=[])
    seeing = House(built(config), ManualClock())._seeing
    boxes = np.array([[100, 80, 140, 180]], np.float32)
    for camera, begins in ((drill.CAMERA, True), ("gate", False)):
        tracker = seeing._watch(camera, ("person",)).tracker
        for sequence in range(4):
            picture = grey(source=camera, sequence=sequence, pts_ns=sequence * SECOND // 5)
            found = Detections(boxes, np.array([0.35], np.float32), np.zeros(1, np.int32))
            tracks = tracker.update(found, picture)
        assert bool(len(tracks)) is begins


def test_nobody_holds_drills_from_afar_all_day(bench: Bench) -> None:
    assert bench.stage.ask(40.0) is None
    bench.step()
    bench.pass_on("acknowledged")
    bench.step()
    assert bench.progress["state"] == "passed"
    assert "five minutes" in str(bench.stage.ask(40.0))
    bench.ask("two")
    assert bench.progress["drill_id"] == "two", "whoever is at the box may"
    bench.pass_on("acknowledged")
    bench.heard("a", drill_id="two")
    bench.step(300)
    assert bench.stage.ask(40.0) is None
