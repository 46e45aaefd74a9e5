"""Requests through a real publisher with a real outbox: what they change, and what is answered."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edgeguard.alerts.escalation import Escalation
from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.types import AlertState, Severity
from tests.alerts.strict import assert_valid
from tests.support.alerts import NEXT_RUN, UTC_NS, alert, body, moment
from tests.support.desk import TOPICS, DeskBench, ack, command

ALARM = {"severity": Severity.ALARM}


@pytest.fixture
def bench(tmp_path: Path) -> DeskBench:
    return DeskBench(tmp_path, Escalation(60.0), webhook=True)


class TestAcknowledging:
    def test_it_becomes_a_revision_and_is_answered(self, bench: DeskBench) -> None:
        one = alert()
        bench.run(one)
        answer = bench.ack(one.alert_id, "true", note="seen on the wall")
        assert_valid("result", answer)
        assert (answer["verb"], answer["ok"], answer["reason"]) == ("ack", True, None)
        told = bench.told[-1]
        assert_valid("alert", told)
        assert (told["revision"], told["seq"], told["state"]) == (2, 2, "updated")
        assert told["acknowledged"] == {
            "by": "eva",
            "at": answer["at"],
            "verdict": "true",
            "note": "seen on the wall",
        }
        assert told["stages"]["infer_start_ns"] is None
        assert told["summary"] == one.summary

    def test_what_the_policy_says_later_keeps_it(self, bench: DeskBench) -> None:
        one = alert()
        bench.run(one)
        bench.ack(one.alert_id)
        bench.run(alert(alert_id=one.alert_id, revision=2, state=AlertState.CLOSED, closed_utc_ns=UTC_NS))
        told = bench.told[-1]
        assert (told["revision"], told["state"]) == (3, "closed")
        assert told["acknowledged"]["by"] == "eva"

    def test_an_alert_that_is_over_stays_over(self, bench: DeskBench) -> None:
        one = moment()
        bench.run(one)
        first = bench.told[-1]
        bench.ack(one.alert_id, "false_alarm")
        told = bench.told[-1]
        assert (told["state"], told["closed_at"]) == ("closed", first["closed_at"])

    def test_the_last_verdict_counts_and_mere_seeing_takes_none_back(self, bench: DeskBench) -> None:
        one = alert()
        bench.run(one)
        for verdict, by in (("true", "eva"), ("false_alarm", "tom"), (None, "ann")):
            assert bench.ack(one.alert_id, verdict, by)["ok"]
        assert bench.told[-1]["acknowledged"]["by"] == "tom"
        assert bench.told[-1]["revision"] == 3
        bench.run(after_s=2)
        assert bench.desk.report.verdicts == {"stay.false_alarm": 1, "stay.true": 0}

    def test_verdicts_are_counted_by_rule_through_restarts(self, bench: DeskBench, tmp_path: Path) -> None:
        for rule, verdict in (("a", "true"), ("a", "true"), ("a", "false_alarm"), ("b", "true")):
            one = moment(rule=rule)
            bench.run(one)
            bench.ack(one.alert_id, verdict)
        bench.publisher.stop(0)
        later = DeskBench(tmp_path, identity=NEXT_RUN)
        assert later.desk.report.verdicts == {"a.false_alarm": 1, "a.true": 2, "b.true": 1}

    def test_an_unknown_alert(self, bench: DeskBench) -> None:
        answer = bench.ack(alert().alert_id)
        assert not answer["ok"]
        assert "no such alert" in answer["reason"]
        assert bench.told == []

    def test_the_same_words_again_are_no_news(self, bench: DeskBench) -> None:
        one = alert()
        bench.run(one)
        words = ack(one.alert_id, bench.clock.utc_ns())
        for ack_id in (words["ack_id"], "0b2c6f7e-8d3f-4f0a-9a55-2f6c7d1e8a99"):
            bench.say(TOPICS.ack, {**words, "ack_id": ack_id})
            assert bench.result(ack_id)["ok"]
        assert [told["revision"] for told in bench.told] == [1, 2]

    def test_a_disk_that_refuses_is_said_and_the_same_request_may_come_again(
        self, bench: DeskBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = alert()
        bench.run(one)
        words = ack(one.alert_id, bench.clock.utc_ns())
        with monkeypatch.context() as broken:
            broken.setattr("edgeguard.alerts.desk.Desk._acknowledged", _no_disk)
            bench.say(TOPICS.ack, words)
        assert "the disk refuses" in bench.result(words["ack_id"])["reason"]
        bench.say(TOPICS.ack, words)
        assert bench.result(words["ack_id"])["ok"]
        assert bench.told[-1]["acknowledged"]["by"] == "eva"


class TestCommands:
    def test_ping(self, bench: DeskBench) -> None:
        answer = bench.command("ping")
        assert_valid("result", answer)
        assert (answer["verb"], answer["ok"]) == ("ping", True)

    def test_a_drill_begins_or_says_why_not(self, bench: DeskBench) -> None:
        assert bench.command("drill")["reason"] == "no drills are held here"
        bench.desk.drill = lambda: None
        answer = bench.command("drill")
        assert_valid("result", answer)
        assert (answer["verb"], answer["ok"], answer["reason"]) == ("drill", True, None)

    def test_replay_sends_what_was_delivered_again(self, bench: DeskBench) -> None:
        bench.run(moment(), moment(), moment())
        answer = bench.command("replay", from_seq=2, to_seq=5)
        assert_valid("result", answer)
        assert answer["replayed"] == 2
        assert answer["unavailable"] == [{"from_seq": 4, "to_seq": 5, "reason": "unassigned"}]
        assert [(told["seq"], told["replayed"]) for told in bench.told[3:]] == [(2, True), (3, True)]

    @pytest.mark.parametrize(("first", "last"), [(None, 2), (2, None), (3, 2)])
    def test_replay_of_nothing_that_can_be_named(
        self, bench: DeskBench, first: int | None, last: int | None
    ) -> None:
        answer = bench.command("replay", from_seq=first, to_seq=last)
        assert not answer["ok"]
        assert "the lower one first" in answer["reason"]

    def test_replay_of_numbers_beyond_any_database(self, bench: DeskBench) -> None:
        answer = bench.command("replay", from_seq=10**19, to_seq=10**20 - 1)
        assert answer["replayed"] == 0
        assert_valid("result", answer)

    def test_the_answer_goes_where_the_sender_wants_it_and_carries_its_mark(self, bench: DeskBench) -> None:
        wanted = TOPICS.result("desk-4")
        message = command("ping", bench.clock.utc_ns())
        bench.say(TOPICS.command("ping"), message, response_topic=wanted, correlation=b"\x00mark")
        (answer,) = bench.publications(lambda one: one.topic == wanted)
        assert (answer.correlation, answer.retain) == (b"\x00mark", False)

    @pytest.mark.parametrize(
        "wanted",
        [
            "edgeguard/v1/depot/gate-2/up/result/x",
            "edgeguard/v1/depot/gate-1/up/status",
            "edgeguard/v1/depot/gate-1/up/result/",
            "edgeguard/v1/depot/gate-1/up/result/#",
            "edgeguard/v1/depot/gate-1/up/result/+",
            "edgeguard/v1/depot/gate-1/up/result/../status",
            "edgeguard/v1/depot/gate-1/up/result/a\x00b",
            "edgeguard/v1/depot/gate-1/up/result/" + "a/" * 60,
            "$SYS/broker",
            "",
        ],
    )
    def test_it_never_goes_anywhere_else(self, bench: DeskBench, wanted: str) -> None:
        message = command("ping", bench.clock.utc_ns())
        bench.say(TOPICS.command("ping"), message, response_topic=wanted)
        results = bench.publications(lambda one: "/result/" in one.topic)
        assert [one.topic for one in results] == [TOPICS.result(message["command_id"])]


class TestEscalating:
    def test_an_alarm_that_nobody_acknowledges(self, bench: DeskBench) -> None:
        one = alert(**ALARM)
        bench.run(one)
        bench.run(after_s=59)
        assert [told["revision"] for told in bench.told] == [1]
        bench.run(after_s=2)
        told = bench.told[-1]
        assert_valid("alert", told)
        assert (told["revision"], told["severity"], told["state"]) == (2, "critical", "updated")
        assert told["escalated_at"] is not None
        bench.run(after_s=300)
        assert len({told["revision"] for told in bench.told}) == 2
        assert bench.desk.report.escalated == 1

    def test_what_the_policy_says_later_keeps_the_raised_severity(self, bench: DeskBench) -> None:
        one = alert(**ALARM)
        bench.run(one)
        bench.run(after_s=61)
        bench.run(
            alert(alert_id=one.alert_id, revision=2, state=AlertState.CLOSED, closed_utc_ns=UTC_NS, **ALARM)
        )
        told = bench.told[-1]
        assert (told["revision"], told["severity"], told["state"]) == (3, "critical", "closed")
        bench.ack(one.alert_id)
        assert bench.told[-1]["severity"] == "critical"

    def test_what_becomes_an_alarm_later_waits_from_then_on(self, bench: DeskBench) -> None:
        one = alert()
        bench.run(one)
        bench.run(after_s=100)
        bench.run(alert(alert_id=one.alert_id, revision=2, state=AlertState.UPDATED, **ALARM))
        bench.run(after_s=59)
        assert bench.told[-1]["escalated_at"] is None
        bench.run(alert(alert_id=one.alert_id, revision=3, state=AlertState.UPDATED, **ALARM))
        bench.run(after_s=2)
        assert bench.told[-1]["escalated_at"] is not None

    def test_an_acknowledgement_in_time_stops_it(self, bench: DeskBench) -> None:
        one = alert(**ALARM)
        bench.run(one)
        bench.run(after_s=2)
        assert bench.desk.report.unacknowledged == 1
        bench.ack(one.alert_id)
        bench.run(after_s=3600)
        assert bench.told[-1]["escalated_at"] is None
        assert (bench.desk.report.escalated, bench.desk.report.unacknowledged) == (0, 0)

    def test_lesser_alerts_and_a_site_without_escalation_wait_for_nobody(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        lesser = DeskBench(tmp_path / "a", Escalation(60.0, Severity.CRITICAL))
        without = DeskBench(tmp_path / "b", None)
        for bench in (lesser, without):
            bench.run(alert(**ALARM))
            bench.run(after_s=3600)
            assert [told["revision"] for told in bench.told] == [1]

    def test_an_exercise_is_not_escalated_and_calls_nobody(self, bench: DeskBench) -> None:
        bench.run(moment(drill=True, **ALARM))
        bench.run(after_s=63)
        assert [told["revision"] for told in bench.told] == [1]
        assert bench.desk.report.unacknowledged == 0
        assert bench.parcels == []

    @pytest.mark.parametrize("step_s", [-7200, 7200])
    def test_the_deadline_follows_no_step_of_the_clock(self, bench: DeskBench, step_s: int) -> None:
        bench.run(moment(**ALARM))
        bench.run(after_s=30)
        bench.clock.utc_offset_ns += step_s * 10**9
        bench.run(after_s=28)
        assert len(bench.told) == 1
        bench.run(after_s=3)
        assert bench.told[-1]["severity"] == "critical"

    @pytest.mark.parametrize("step_s", [-7200, 7200])
    def test_neither_does_a_restart_after_a_step(self, tmp_path: Path, step_s: int) -> None:
        first = DeskBench(tmp_path, Escalation(60.0))
        first.run(moment(**ALARM))
        first.run(after_s=10)
        first.clock.utc_offset_ns += step_s * 10**9
        first.run(after_s=10)
        first.publisher.stop(0)
        second = DeskBench(tmp_path, Escalation(60.0), identity=NEXT_RUN, clock=first.clock)
        second.run(after_s=38)
        assert [told for told in second.told if told["severity"] == "critical"] == []
        second.run(after_s=4)
        assert second.told[-1]["severity"] == "critical"

    def test_a_reboot_with_a_clock_of_long_ago_waits_no_longer_than_from_the_start(
        self, tmp_path: Path
    ) -> None:
        first = DeskBench(tmp_path, Escalation(60.0))
        first.run(moment(**ALARM))
        first.publisher.stop(0)
        rebooted = ManualClock(now_ns=5, utc_offset_ns=10**9)
        second = DeskBench(tmp_path, Escalation(60.0), identity=NEXT_RUN, clock=rebooted)
        second.run(after_s=58)
        assert len(second.told) == 0
        second.run(after_s=4)
        assert second.told[-1]["severity"] == "critical"

    def test_what_was_left_open_is_closed_and_still_escalated(self, tmp_path: Path) -> None:
        first = DeskBench(tmp_path, Escalation(60.0))
        one = alert(**ALARM)
        first.run(one)
        first.publisher.stop(0)
        second = DeskBench(tmp_path, Escalation(60.0), identity=NEXT_RUN, clock=first.clock)
        second.run(after_s=61)
        told = [(told["revision"], told["state"], told["severity"]) for told in second.told]
        assert told == [(2, "closed", "alarm"), (3, "closed", "critical")]
        third = DeskBench(tmp_path, Escalation(60.0), identity=NEXT_RUN, clock=first.clock)
        assert third.told == []

    def test_switched_off_nothing_waits_any_more(self, tmp_path: Path) -> None:
        first = DeskBench(tmp_path, Escalation(60.0))
        first.run(moment(**ALARM))
        first.publisher.stop(0)
        second = DeskBench(tmp_path, None, identity=NEXT_RUN, clock=first.clock)
        second.run(after_s=3600)
        assert second.told == []
        assert second.desk.report.unacknowledged == 0


def _no_disk(*_: object) -> None:
    raise StorageError("no disk")


class TestFaults:
    def test_a_fault_in_answering_keeps_no_alert_from_being_sent(
        self, bench: DeskBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object) -> None:
            raise TypeError("no such thing")

        alerts = [moment() for _ in range(5)]
        with monkeypatch.context() as broken:
            broken.setattr(bench.ledger, "waiting", fail)
            for one in alerts:
                bench.run(one, after_s=2)
        delivery = bench.publisher.delivery
        assert [told["alert_id"] for told in bench.told] == [one.alert_id for one in alerts]
        assert delivery.pending == 0
        assert delivery.gate_error == "requests and escalations are not done: TypeError: no such thing"
        assert caplog.text.count("\nTypeError: no such thing") == 1
        bench.run(after_s=70)
        assert bench.publisher.delivery.gate_error is None


def seconds(message: dict[str, Any], name: str) -> float:
    time: str = message[name]
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def corrected(bench: DeskBench, told: dict[str, Any], name: str) -> float:
    """As a consumer corrects it: by the later steps of the same run."""
    steps = [body(one) for one in bench.publications(lambda one: one.topic == TOPICS.clock)]
    later = [one for one in steps if one["boot_id"] == told["boot_id"] and one["seq"] > told["seq"]]
    return seconds(told, name) + sum(float(one["step_ms"]) for one in later) / 1e3


class TestClockSteps:
    def test_every_revision_tells_the_same_times_once_they_are_corrected(self, bench: DeskBench) -> None:
        begin_ns = bench.clock.utc_ns()
        times = {"opened_utc_ns": begin_ns, "observed_utc_ns": begin_ns}
        one = alert(**ALARM, **times)
        bench.run(one)
        for step_s in (3600, -40, 7):
            bench.clock.utc_offset_ns += step_s * 10**9
            bench.run()
            bench.ack(one.alert_id, by=f"eva-{step_s}")
        end_ns = bench.clock.utc_ns()
        bench.run(
            alert(
                alert_id=one.alert_id,
                revision=2,
                state=AlertState.CLOSED,
                **{**times, "observed_utc_ns": end_ns},
                closed_utc_ns=end_ns,
            )
        )
        bench.clock.utc_offset_ns += 5 * 10**9
        bench.run()
        bench.ack(one.alert_id, "true")
        told = [message for message in bench.told if message["alert_id"] == one.alert_id]
        assert [message["revision"] for message in told] == [1, 2, 3, 4, 5, 6]
        for message in told:
            assert_valid("alert", message)
            assert corrected(bench, message, "opened_at") == pytest.approx(begin_ns / 1e9 + 3572)
        assert {corrected(bench, message, "closed_at") for message in told[4:]} == {end_ns / 1e9 + 5}
        assert {corrected(bench, message, "observed_at") for message in told[:4]} == {begin_ns / 1e9 + 3572}

    def test_what_is_closed_after_a_restart_was_opened_when_it_was(self, tmp_path: Path) -> None:
        first = DeskBench(tmp_path)
        begin_ns = first.clock.utc_ns()
        first.run(alert(opened_utc_ns=begin_ns, observed_utc_ns=begin_ns))
        first.clock.utc_offset_ns += 60 * 10**9
        first.run()
        assert first.outbox is not None
        first.outbox.close()
        second = DeskBench(tmp_path, identity=NEXT_RUN)
        second.run()
        told = second.told[-1]
        assert (told["state"], told["boot_id"]) == ("closed", NEXT_RUN.boot_id)
        assert {seconds(told, name) for name in ("opened_at", "observed_at", "closed_at")} == {
            begin_ns / 1e9 + 60
        }
