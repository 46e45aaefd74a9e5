"""Escalations that must be posted: through the desk, its outbox and its restarts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeguard.alerts.escalation import Escalation
from edgeguard.alerts.parcels import GIVE_UP_AFTER_S, Parcels, PostReport
from edgeguard.types import Severity
from tests.alerts.strict import assert_valid
from tests.support.alerts import NEXT_RUN, moment
from tests.support.desk import DeskBench, Inbox


@pytest.fixture
def bench(tmp_path: Path) -> DeskBench:
    return DeskBench(tmp_path, Escalation(60.0), webhook=True)


def escalate(bench: DeskBench, count: int = 1) -> list[str]:
    """So many alarms that nobody acknowledged."""
    alarms = [moment(severity=Severity.ALARM) for _ in range(count)]
    bench.run(*alarms)
    bench.run(after_s=61)
    bench.run(after_s=1)
    return [alarm.alert_id for alarm in alarms]


def posts(bench: DeskBench) -> PostReport:
    bench.run(after_s=1)
    report = bench.desk.report.posts
    assert report is not None
    return report


def test_an_escalation_is_posted_once_it_is_committed(bench: DeskBench) -> None:
    (alert_id,) = escalate(bench)
    (parcel,) = bench.parcels
    told = json.loads(parcel.body)
    assert parcel.parcel_id == f"escalation_{alert_id}"
    assert (told["type"], told["timestamp"]) == ("alert.escalated", told["data"]["escalated_at"])
    assert_valid("alert", told["data"])
    assert {**told["data"], "replayed": False, "stages": None} == {**bench.told[-1], "stages": None}
    bench.answer_post()
    assert posts(bench) == PostReport(waiting=0, delivered=1)
    bench.run(after_s=3600)
    assert len(bench.parcels) == 1


def test_what_is_not_taken_is_posted_again_later_and_later(bench: DeskBench) -> None:
    escalate(bench)
    waits = []
    for _ in range(12):
        bench.answer_post("status 500")
        assert posts(bench).error == "status 500"
        already, since_ns = len(bench.parcels), bench.clock.now_ns
        while len(bench.parcels) == already:
            bench.run(after_s=1)
        waits.append((bench.clock.now_ns - since_ns) / 1e9)
    assert waits[0] < 10
    assert waits[3] > 2 * waits[1]
    assert 880 < waits[-1] < 1360
    assert len({parcel.parcel_id for parcel in bench.parcels}) == 1
    bench.answer_post()
    assert (posts(bench).error, posts(bench).delivered) == (None, 1)


def test_a_restart_posts_it_again_under_the_same_id(bench: DeskBench, tmp_path: Path) -> None:
    escalate(bench)
    bench.answer_post("away")
    bench.publisher.stop(0)
    later = DeskBench(tmp_path, webhook=True, identity=NEXT_RUN, clock=bench.clock)
    assert [one.parcel_id for one in later.parcels] == [bench.parcels[0].parcel_id]
    assert later.parcels[0].body == bench.parcels[0].body


def test_one_that_is_never_taken_does_not_stand_in_the_way(bench: DeskBench) -> None:
    escalate(bench, 3)
    stubborn = bench.parcels[-1].parcel_id
    taken = set()
    for _ in range(6):
        if bench.parcels[-1].parcel_id == stubborn:
            bench.answer_post("status 400")
        else:
            taken.add(bench.parcels[-1].parcel_id)
            bench.answer_post()
        bench.run(after_s=10)
    assert len(taken) == 2
    assert posts(bench).waiting == 1


def test_after_three_days_it_is_given_up_and_counted(bench: DeskBench) -> None:
    escalate(bench, 2)
    started_ns = bench.clock.now_ns
    while posts(bench).waiting:
        assert bench.clock.now_ns - started_ns < 2 * GIVE_UP_AFTER_S * 1e9
        bench.answer_post("away")
        bench.run(after_s=1400)
    assert posts(bench).given_up == 2
    assert bench.clock.now_ns - started_ns > 0.9 * GIVE_UP_AFTER_S * 1e9


def test_of_too_many_the_oldest_give_way(tmp_path: Path) -> None:
    bench = DeskBench(tmp_path, Escalation(60.0), webhook=True)
    bench.desk._parcels = Parcels(bench.parcels.append, Inbox(), bench.clock, most_waiting=10)
    escalate(bench, 25)
    report = posts(bench)
    assert (report.waiting, report.given_up) == (10, 15)


def test_one_is_on_its_way_at_a_time(bench: DeskBench) -> None:
    escalate(bench, 3)
    bench.run(after_s=600)
    assert len(bench.parcels) == 1


def test_parcels_that_were_lost_with_the_file_are_not_looked_for(bench: DeskBench) -> None:
    escalate(bench, 3)
    bench.answer_post("away")
    assert bench.outbox is not None
    bench.outbox.transaction(lambda db: db.execute("DELETE FROM parcel"))
    later = [moment() for _ in range(5)]
    for one in later:
        bench.run(one, after_s=10)
    assert {one.alert_id for one in later} <= {told["alert_id"] for told in bench.told}
    assert posts(bench).waiting == 0
    assert bench.publisher.delivery.gate_error is None
