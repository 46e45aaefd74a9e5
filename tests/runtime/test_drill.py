"""The drill's thread and its book: what is waited for, what is said, what is remembered."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from edgeguard.errors import StorageError
from edgeguard.runtime.drill_book import SEEN
from edgeguard.runtime.drill_folder import DrillFolder, DrillRequest, Record
from edgeguard.runtime.health import State
from edgeguard.types import Phase
from tests.support.drills import CALL, HOUR, INTRUSION, UTC_NS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_a_subscriber_received_has_passed(bench: Bench) -> None:
    bench.ask()
    assert (bench.progress["state"], bench.progress["acts"][0]["stopped_at"]) == ("running", "captured")
    bench.pass_on("acknowledged")
    bench.step(10)
    assert bench.progress["acts"][0]["stopped_at"] is None
    assert bench.progress["state"] == "running"
    bench.heard("a")
    assert bench.progress["state"] == "passed"
    report = bench.part.report()
    assert (report["state"], report["passed"], report["took_s"]) == ("ok", 1, 10.25)
    assert bench.noticed() == []
    assert not bench.book.running


@pytest.mark.parametrize("place", SEEN)
def test_where_it_stopped_is_named_with_what_that_part_says(bench: Bench, place: str) -> None:
    bench.why[place] = "the part is broken"
    bench.ask()
    if place != "captured":
        bench.pass_on(SEEN[SEEN.index(place) - 1])
    bench.heard()
    assert (bench.progress["state"], bench.progress["stopped"]) == (
        "missed",
        {"act": "intrusion", "at": place},
    )
    assert bench.progress["reason"].startswith("intrusion: ")
    assert "the part is broken" in bench.progress["reason"]
    assert (bench.part.state, bench.part.code) == (State.DEGRADED, f"not_{place}")


def test_what_the_broker_took_and_nobody_heard_stopped_there(bench: Bench) -> None:
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard()
    assert bench.progress["stopped"]["at"] == "received"


def test_a_subscriber_that_could_not_listen_proves_nothing_about_the_guard(bench: Bench) -> None:
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard(reason="the broker refused it")
    assert bench.part.code == "subscriber_lost"
    assert "the broker refused it" in str(bench.part.reason)


def test_a_subscriber_that_vanishes_is_waited_for_and_no_longer(bench: Bench) -> None:
    bench.ask(timeout_s=20)
    bench.pass_on("acknowledged")
    bench.step(24)
    assert bench.progress["state"] == "running"
    bench.step(2)
    assert bench.part.code == "subscriber_lost"


def test_the_subscribers_word_on_another_drill_is_none(bench: Bench) -> None:
    bench.ask("two")
    bench.heard("a", drill_id="one")
    assert bench.progress["state"] == "running"


def test_every_act_counts(tmp_path: Path) -> None:
    bench = Bench(tmp_path, acts=(INTRUSION, CALL))
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard("a")
    assert bench.progress["stopped"] == {"act": "call", "at": "captured"}


def test_without_a_subscriber_the_brokers_acknowledgement_is_enough(bench: Bench) -> None:
    bench.ask(subscriber=False)
    bench.pass_on("published")
    bench.step()
    assert bench.progress["state"] == "running"
    bench.book.answered(7, bench.clock.monotonic_ns(), None)
    bench.step()
    assert bench.progress["state"] == "passed"


def test_a_broker_that_refuses_is_quoted(bench: Bench) -> None:
    bench.ask(timeout_s=20, subscriber=False)
    bench.pass_on("published")
    bench.book.answered(7, 1, "Not authorized")
    bench.step(21)
    assert "the broker says: Not authorized" in bench.progress["reason"]


def test_an_answer_that_comes_before_its_sender_knows_its_number_counts(bench: Bench) -> None:
    bench.ask(subscriber=False)
    bench.book.answered(7, 1, None)
    bench.pass_on("published")
    bench.step()
    assert bench.progress["state"] == "passed"


def test_a_missed_one_is_an_alert_until_one_passes(bench: Bench) -> None:
    bench.ask()
    bench.heard()
    ((phase, reason),) = bench.noticed()
    assert (phase, reason[:40]) == (Phase.BEGAN, "the last drill was missed: intrusion: no")
    bench.step(9)
    assert bench.noticed() == []
    bench.step(2)
    assert [phase for phase, _ in bench.noticed()] == [Phase.CONTINUES]
    bench.ask("two")
    bench.pass_on("acknowledged")
    bench.heard("a", drill_id="two")
    assert [phase for phase, _ in bench.noticed()] == [Phase.ENDED]
    assert bench.part.state is State.OK


def test_what_happened_outlives_the_service(bench: Bench, tmp_path: Path) -> None:
    bench.ask()
    bench.heard()
    again = Bench(tmp_path)
    assert (again.part.state, again.part.report()["missed"]) == (State.DEGRADED, 1)
    again.step()
    assert [phase for phase, _ in again.noticed()] == [Phase.BEGAN]


def test_where_none_passes_in_time_health_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every_h=24)
    bench.step()
    bench.step(35.9 * 3600)
    assert bench.part.state is State.OK
    bench.step(0.2 * 3600)
    bench.step(3600)
    bench.step(3600)
    assert (bench.part.state, bench.part.code) == (State.DEGRADED, "overdue")
    assert [phase for phase, _ in bench.noticed()] == [Phase.BEGAN]
    bench.ask()
    bench.pass_on("acknowledged")
    bench.heard("a")
    assert bench.part.state is State.OK


def test_a_clock_that_was_never_set_makes_none_overdue(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every_h=1)
    bench.clock.utc_offset_ns = 0
    bench.step(10 * 3600)
    bench.clock.utc_offset_ns = UTC_NS
    bench.step()
    assert bench.part.state is State.OK


def test_a_request_of_long_ago_is_nobodys(bench: Bench) -> None:
    bench.folder.ask(DrillRequest("old", 40.0, bench.clock.utc_ns() - HOUR))
    bench.step()
    assert bench.folder.progress() is None
    assert bench.folder.take_request(bench.clock.utc_ns()) is None


def test_where_there_is_nothing_to_try_out_none_passes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, acts=())
    bench.ask()
    assert (bench.progress["state"], bench.part.code) == ("missed", "nothing_to_drill")


def test_one_at_a_time(bench: Bench) -> None:
    assert bench.stage.ask(40.0) is None
    assert bench.stage.ask(40.0) == "a drill is held already"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"drill_id": 1}', '{"drill_id": "a", "timeout_s": "x"}'])
def test_a_broken_file_stops_nothing(bench: Bench, tmp_path: Path, text: str) -> None:
    (tmp_path / "drill").mkdir(exist_ok=True)
    for name in ("request", "verdict", "last", "progress"):
        (tmp_path / "drill" / f"{name}.json").write_text(text)
    bench.step()
    assert bench.folder.record() == Record()
    assert bench.part.state is State.OK


def test_only_the_owner_reads_what_is_said(bench: Bench, tmp_path: Path) -> None:
    bench.ask()
    folder = tmp_path / "drill"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_asks_belongs_to_the_services_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    DrillFolder(tmp_path).ask(DrillRequest("one", 40.0, 1))
    request = tmp_path / "drill" / "request.json"
    assert {request.stat().st_uid, (tmp_path / "drill").stat().st_uid} == {12345}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Whoever owns the state folder must not lead root elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    state = tmp_path / "state"
    state.mkdir()
    (state / "drill").symlink_to(elsewhere)
    with pytest.raises(StorageError, match="cannot write"):
        DrillFolder(state).ask(DrillRequest("one", 40.0, 1))
    assert not list(elsewhere.iterdir())


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        DrillFolder(tmp_path / "nowhere").ask(DrillRequest("one", 40.0, 1))


def test_a_full_disk_costs_the_drill_its_notes_alone(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "drill").write_text("in the way")
    assert bench.stage.ask(40.0) is None
    bench.stage._begin(DrillRequest("one", 40.0, 1, subscriber=False))
    bench.pass_on("acknowledged")
    bench.step()
    assert bench.part.report()["passed"] == 1


def test_what_is_told_is_json_for_others(bench: Bench) -> None:
    bench.ask()
    bench.pass_on("committed")
    bench.step()
    act = json.loads(json.dumps(bench.progress))["acts"][0]
    assert (act["act"], act["model"], act["alert_id"]) == ("intrusion", "a model", "a")
    assert list(act["at_ns"]) == [place for place in act["at_ns"] if place in SEEN]
    assert bench.progress["left_out"] == {"noise": "no microphone here listens for sounds"}


def test_what_the_disk_refuses_is_a_fault_until_it_is_written(bench: Bench, tmp_path: Path) -> None:
    bench.ask()
    bench.pass_on("acknowledged")
    (tmp_path / "drill").rename(tmp_path / "away")
    (tmp_path / "drill").write_text("in the way")
    bench.step(41)
    bench.step(5.5)
    assert bench.part.code == "subscriber_lost", "the worse of two is told"
    (tmp_path / "drill").unlink()
    (tmp_path / "away").rename(tmp_path / "drill")
    bench.step(5.5)
    assert (bench.progress["state"], bench.folder.record().missed) == ("missed", 1)


def test_a_pass_that_cannot_be_noted_degrades_health_and_recovers(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "drill").write_text("in the way")
    assert bench.stage.ask(40.0) is None
    bench.step()
    bench.pass_on("acknowledged")
    for _ in range(3):
        bench.step(6)
    assert (bench.part.state, bench.part.code) == (State.DEGRADED, "storage")
    assert "is not on the disk: cannot write" in str(bench.part.reason)
    assert bench.noticed() == [], "no drill was missed for that"
    assert len([one for one in caplog.records if "not on the disk" in one.getMessage()]) == 1
    (tmp_path / "drill").unlink()
    bench.step(6)
    assert (bench.part.state, bench.folder.record().passed) == (State.OK, 1)
    assert bench.progress["state"] == "passed"
