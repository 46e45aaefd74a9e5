"""The publisher on a fake link and a clock by hand; `test_delivery.py` has real brokers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from edgeguard.alerts.exchange import receipt_message
from edgeguard.alerts.fake import FakeLink, Publication
from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.link import Acked
from edgeguard.alerts.messages import ClockQuality, HealthReport, Identity, encode
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.publisher import Input, Publisher
from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.types import AlertState, BlindTime, Counts, CoverageDay, SourceDay, Stages
from tests.alerts.strict import assert_valid
from tests.support.alerts import ALERT_TOPIC, IDENTITY, NEXT_RUN, UTC_NS, alert, body, moment

STATUS = "edgeguard/v1/depot/gate-1/up/status"
RECEIPT = "edgeguard/v1/depot/gate-1/down/receipt"
HEALTH = "edgeguard/v1/depot/gate-1/up/health"


class Bench:
    """A publisher with everything around it in reach; time moves only when told to."""

    def __init__(self, folder: Path, identity: Identity = IDENTITY, **values: Any) -> None:
        self.clock = ManualClock()
        self.inbox: list[Input] = []
        self.link = FakeLink(self.inbox.append)
        self.folder = folder
        self.disk_works = True
        self.took: list[tuple[str, int]] = []
        self.publisher = Publisher(
            self,
            self.open_outbox,
            self.link,
            identity,
            self.clock,
            lambda: ClockQuality("synced", 1.0, "ntp", 2.0),
            **values,
            took=lambda stage, took_ns: self.took.append((stage, took_ns)),
        )

    def get_all(self, timeout_s: float | None = None) -> list[Input]:
        taken = list(self.inbox)
        self.inbox.clear()
        if not taken and timeout_s:
            self.clock.advance(timeout_s)
        return taken

    def open_outbox(self) -> Outbox:
        if not self.disk_works:
            raise StorageError("no disk")
        return Outbox(self.folder / "outbox.db", self.clock, Ledger("", self.clock), ballast_bytes=0)

    def run(self, *values: Input, after_s: float = 0.0) -> None:
        """Steps until nothing more is said."""
        self.clock.advance(after_s)
        self.inbox.extend(values)
        self.publisher.run_once(0)
        while self.inbox:
            self.publisher.run_once(0)

    @property
    def told(self) -> list[dict[str, Any]]:
        """Every copy of an alert that was sent."""
        return [body(one) for one in self.link.publications if not one.retain]

    def retained(self, topic: str) -> list[dict[str, Any]]:
        return [body(one) for one in self.link.publications if one.retain and one.topic == topic]

    def answer(self, code: int | None) -> None:
        self.link.answer = lambda _publication: code


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.publisher.start()
    return made


def test_an_alert_is_committed_sent_and_forgotten(bench: Bench) -> None:
    one = alert(closed_utc_ns=UTC_NS)
    bench.run(one)
    (told,) = bench.told
    assert_valid("alert", told)
    assert (told["alert_id"], told["seq"], told["replayed"]) == (one.alert_id, 1, False)
    assert told["stages"]["published_ns"] is not None
    assert told["clock"] == {"quality": "synced", "source": "ntp", "offset_ms": 1.0, "max_error_ms": 2.0}
    delivery = bench.publisher.delivery
    assert (delivery.committed, delivery.delivered, delivery.pending, delivery.seq_high) == (1, 1, 0, 1)
    assert (delivery.connected, delivery.state, delivery.reason) == (True, "delivering", None)


def test_it_is_measured_how_long_an_alert_takes_to_the_disk_to_the_broker_and_into_other_hands(
    bench: Bench,
) -> None:
    bench.clock.advance(1)
    stages = Stages(arrived_ns=100_000_000, ruled_ns=200_000_000)
    bench.answer(None)
    bench.run(alert(closed_utc_ns=UTC_NS, stages=stages, decided_ns=400_000_000))
    assert bench.took == [("commit", 600_000_000), ("publish", 0), ("alert", 900_000_000)]
    bench.clock.utc_offset_ns -= 10**15
    bench.run(after_s=0.25)
    sent = next(one for one in bench.link.publications if "/alert/" in one.topic)
    bench.run(Acked(sent.mid, 0, "Success"))
    assert bench.took[3:] == [("confirm", 250_000_000)], "a step of UTC is no time that passed"


def test_a_day_of_coverage_is_durable_and_it_is_said_once_it_is_on_the_disk(bench: Bench) -> None:
    day = CoverageDay("2027-01-14", "UTC", UTC_NS, UTC_NS + 10**9, (SourceDay("dock", 1.0, 0.0, ()),))
    assert bench.publisher.delivery.coverage_day is None
    bench.run(day, alert())
    assert bench.publisher.delivery.coverage_day == "2027-01-14"
    told = bench.told[0]
    assert_valid("coverage", told)
    assert (told["seq"], bench.told[1]["seq"]) == (1, 2)
    [sent] = [one for one in bench.link.publications if "/coverage/" in one.topic]
    assert (sent.topic, sent.retain) == ("edgeguard/v1/depot/gate-1/up/coverage/2027-01-14", False)


def test_a_day_that_the_disk_refuses_is_not_said_to_be_on_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.disk_works = False
    bench.publisher.start()
    bench.run(CoverageDay("2027-01-14", "UTC", UTC_NS, UTC_NS + 10**9, ()))
    assert bench.publisher.delivery.coverage_day is None
    bench.disk_works = True
    bench.run()
    assert bench.publisher.delivery.coverage_day == "2027-01-14"


def test_what_an_earlier_run_left_open_is_closed_once_it_is_known_when_nobody_watched(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.publisher.start()
    first.run(alert())
    known: list[tuple[BlindTime, ...] | None] = [None]
    second = Bench(tmp_path, NEXT_RUN, blind_near=lambda _told: known[0])
    second.publisher.start()
    second.run(after_s=1)
    assert [one["state"] for one in second.told if one["boot_id"] == NEXT_RUN.boot_id] == []
    known[0] = (BlindTime("dock", "restarted", UTC_NS, UTC_NS + 10**9),)
    second.run(after_s=1)
    last = second.told[-1]
    assert_valid("alert", last)
    assert (last["state"], [gap["cause"] for gap in last["blind"]]) == ("closed", ["restarted"])


def test_what_an_earlier_run_left_open_is_closed_in_the_end_if_that_stays_unknown(
    tmp_path: Path,
) -> None:
    first = Bench(tmp_path)
    first.publisher.start()
    first.run(alert(blind=(BlindTime("dock", "stalled", UTC_NS, None),)))
    second = Bench(tmp_path, NEXT_RUN, blind_near=lambda _told: None)
    second.publisher.start()
    second.run(after_s=21)
    last = second.told[-1]
    assert (last["state"], [gap["cause"] for gap in last["blind"]]) == ("closed", ["stalled"])


def test_the_birth_says_who_is_there_before_any_alert(bench: Bench) -> None:
    bench.run(alert())
    assert bench.link.publications[0].topic == STATUS
    (birth,) = bench.retained(STATUS)
    assert_valid("status", birth)
    assert (birth["state"], birth["boot_id"], birth["custody"]) == ("online", IDENTITY.boot_id, "puback")


def test_health_is_retained_with_seq_high_and_told_again_at_each_connect(bench: Bench) -> None:
    parts = {"vision": {"state": "ok", "reason": None, "since_utc_ns": UTC_NS}}
    bench.run(alert(), HealthReport("ok", parts))
    bench.link.disconnect("gone")
    bench.link.connect()
    bench.run()
    first, second = bench.retained(HEALTH)
    assert_valid("health", first)
    assert first["seq_high"] == second["seq_high"] == 1


def test_without_a_broker_alerts_wait_on_the_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run(moment(), moment())
    bench.clock.advance(5)
    bench.run()
    delivery = bench.publisher.delivery
    assert (delivery.pending, delivery.delivered, delivery.oldest_pending_s) == (2, 0, 5.0)
    assert (delivery.connected, delivery.reason) == (False, "not connected yet")
    bench.link.connect()
    bench.run()
    assert [told["seq"] for told in bench.told] == [1, 2]
    assert bench.publisher.delivery.pending == 0


def test_one_batch_is_one_commit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    commit = Outbox.commit

    def count(outbox: Outbox, items: Any, draft: Any) -> None:
        batches.append(len(items))
        commit(outbox, items, draft)

    monkeypatch.setattr(Outbox, "commit", count)
    bench.run(moment(), moment(), moment())
    assert batches == [3]


def test_no_more_than_the_window_is_unacknowledged(tmp_path: Path) -> None:
    bench = Bench(tmp_path, window=3)
    bench.answer(None)
    bench.publisher.start()
    bench.run(*(moment() for _ in range(10)))
    assert len(bench.told) == 3
    bench.link.acknowledge(bench.link.publications[-1].mid)
    bench.run()
    assert len(bench.told) == 4


def test_the_broker_may_narrow_the_window(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.answer(None)
    bench.link.connect(receive_maximum=2)
    bench.run(*(moment() for _ in range(10)))
    assert len(bench.link.publications) == 2


def test_state_and_answers_keep_to_what_the_broker_allows_and_come_in_the_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.answer(None)
    bench.link.connect(receive_maximum=20)
    health = HealthReport("ok", {})
    cameras = [Counts(f"camera-{number}", {}) for number in range(40)]
    bench.run(health, *cameras, *(moment() for _ in range(50)))
    for _ in range(30):
        bench.publisher._sender.say("edgeguard/v1/depot/gate-1/up/result/one", b"{}")
    bench.run()
    answered = 0
    while len(bench.link.publications) > answered:
        in_flight = len(bench.link.publications) - answered
        assert in_flight <= 20
        assert any(not one.retain for one in bench.link.publications[answered:])
        for one in bench.link.publications[answered : answered + 7]:
            bench.link.acknowledge(one.mid)
            answered += 1
        bench.run()
    told = [one.topic for one in bench.link.publications]
    assert {f"edgeguard/v1/depot/gate-1/up/counts/camera-{number}" for number in range(40)} <= set(told)
    assert (told.count(STATUS), told.count(HEALTH)) == (1, 1)
    assert (told.count(ALERT_TOPIC), told.count("edgeguard/v1/depot/gate-1/up/result/one")) == (50, 30)


def test_acknowledgements_lost_for_a_whole_window_do_not_stop_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, window=3, confirm_timeout_s=10)
    bench.answer(None)
    bench.publisher.start()
    bench.run(*(moment() for _ in range(5)))
    assert [told["seq"] for told in bench.told] == [1, 2, 3]
    bench.answer(0)
    for _ in range(8):
        bench.run(after_s=10)
    assert bench.publisher.delivery.pending == 0
    assert {told["seq"] for told in bench.told} == {1, 2, 3, 4, 5}


def test_a_copy_sent_again_is_marked_and_otherwise_the_same(tmp_path: Path) -> None:
    bench = Bench(tmp_path, confirm_timeout_s=10)
    bench.answer(None)
    bench.publisher.start()
    bench.run(moment())
    bench.run(after_s=9.9)
    assert len(bench.told) == 1
    bench.run(after_s=5.2)
    first, second = bench.told
    assert second.pop("replayed")
    assert not first.pop("replayed")
    assert first.pop("stages") != second.pop("stages")
    assert first == second


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (16, "no_subscriber", f"nobody subscribes to {ALERT_TOPIC}"),
        (135, "refused", f"the broker refused {ALERT_TOPIC}: reason code 135"),
    ],
)
def test_what_the_broker_does_not_take_is_kept_and_tried_more_and_more_seldom(
    bench: Bench, code: int, state: str, reason: str
) -> None:
    bench.link.answer = lambda publication: 0 if publication.retain else code
    bench.run(moment())
    tries_at_s = []
    for _ in range(3000):
        before = len(bench.told)
        bench.run(after_s=0.1)
        if len(bench.told) > before:
            tries_at_s.append(bench.clock.now_ns / 1e9)
    delivery = bench.publisher.delivery
    assert (delivery.state, delivery.reason, delivery.pending) == (state, reason, 1)
    waits = [later - earlier for earlier, later in zip([0.0, *tries_at_s], tries_at_s, strict=False)]
    assert waits[0] < 2 < waits[3]
    assert 30 < waits[-1] < 91
    bench.answer(0)
    bench.run(after_s=91)
    assert bench.publisher.delivery.pending == 0
    assert (bench.publisher.delivery.state, bench.publisher.delivery.reason) == ("delivering", None)


def test_when_somebody_listens_again_all_that_waited_for_that_goes_at_once(bench: Bench) -> None:
    bench.answer(16)
    bench.run(*(moment() for _ in range(50)))
    for _ in range(10):
        bench.run(after_s=20)
    assert bench.publisher.delivery.pending == 50
    bench.answer(0)
    bench.run(moment())
    assert bench.publisher.delivery.pending == 0


def test_a_refused_topic_does_not_hold_up_the_others(bench: Bench) -> None:
    bench.link.answer = lambda publication: 135 if "/cellar/" in publication.topic else 0
    bench.run(moment(source="cellar"), moment(), moment(source="cellar"), moment())
    delivery = bench.publisher.delivery
    assert (delivery.delivered, delivery.pending, delivery.state) == (2, 2, "refused")


def test_refused_state_is_seen_too_but_nobody_needs_to_subscribe_to_it(bench: Bench) -> None:
    bench.answer(16)
    bench.run(HealthReport("ok", {}))
    assert bench.publisher.delivery.state == "delivering"
    bench.link.answer = lambda publication: 135 if publication.topic == HEALTH else 0
    bench.run(HealthReport("ok", {}))
    assert bench.publisher.delivery.reason == f"the broker refused {HEALTH}: reason code 135"


@pytest.mark.parametrize("code", [16, 135])
def test_trouble_with_a_topic_ends_when_nothing_waits_or_at_a_new_connection(bench: Bench, code: int) -> None:
    bench.link.answer = lambda publication: 0 if publication.retain else code
    bench.run(moment())
    assert bench.publisher.delivery.state != "delivering"
    outbox = bench.publisher._outbox
    assert outbox is not None
    outbox.done([(IDENTITY.boot_id, 1)])
    bench.run(after_s=1)
    assert bench.publisher.delivery.state == "delivering"
    bench.run(moment())
    assert bench.publisher.delivery.state != "delivering"
    bench.answer(None)
    bench.link.disconnect("gone")
    bench.link.connect()
    bench.run()
    assert bench.publisher.delivery.state == "delivering"


def test_after_a_reconnect_all_that_was_unacknowledged_goes_again(bench: Bench) -> None:
    bench.answer(None)
    bench.run(moment(), moment())
    bench.link.disconnect("gone")
    bench.run()
    assert bench.publisher.delivery.reason == "gone"
    bench.answer(0)
    bench.link.connect()
    bench.run()
    assert [told["seq"] for told in bench.told] == [1, 2, 1, 2]
    assert bench.publisher.delivery.pending == 0


def test_an_acknowledgement_of_an_earlier_connection_counts_for_nothing(bench: Bench) -> None:
    bench.answer(None)
    bench.run(moment())
    old_mid = bench.link.publications[-1].mid
    bench.link.disconnect("gone")
    bench.link.connect()
    bench.run()
    bench.link.acknowledge(old_mid)
    bench.run()
    assert bench.publisher.delivery.pending == 1


def test_the_next_run_sends_again_under_the_same_id_and_closes_what_was_left_open(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.answer(None)
    first.publisher.start()
    goes_on, over = alert(), moment()
    first.run(goes_on, over)
    outbox = first.publisher._outbox
    assert outbox is not None
    outbox.close()
    second = Bench(tmp_path, NEXT_RUN)
    second.publisher.start()
    second.run()
    for told in second.told:
        assert_valid("alert", told)
    assert [(told["alert_id"], told["revision"], told["seq"], told["replayed"]) for told in second.told] == [
        (goes_on.alert_id, 1, 1, True),
        (over.alert_id, 1, 2, True),
        (goes_on.alert_id, 2, 3, False),
    ]
    assert [told["state"] for told in second.told] == ["opened", "opened", "closed"]
    assert second.told[0]["boot_id"] == IDENTITY.boot_id
    assert second.told[0]["stages"]["published_ns"] is None
    third = Bench(tmp_path, NEXT_RUN)
    third.publisher.start()
    third.run()
    assert third.told == [], "closed is final"


def test_while_the_disk_refuses_alerts_wait_in_memory(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.disk_works = False
    bench.publisher.start()
    bench.run(moment(), moment())
    delivery = bench.publisher.delivery
    assert (delivery.uncommitted, delivery.committed, delivery.storage_error) == (2, 0, "no disk")
    assert [status["seq_high"] for status in bench.retained(STATUS)] == [None]
    bench.disk_works = True
    bench.run()
    delivery = bench.publisher.delivery
    assert (delivery.uncommitted, delivery.delivered, delivery.storage_error) == (0, 2, None)


def test_what_cannot_be_committed_is_bounded_and_updates_give_way_first(tmp_path: Path) -> None:
    bench = Bench(tmp_path, most_uncommitted=3)
    bench.disk_works = False
    bench.publisher.start()
    first, update, last = moment(), alert(state=AlertState.UPDATED, revision=2), moment()
    bench.run(first, update, last, moment(), moment())
    assert (bench.publisher.delivery.uncommitted, bench.publisher.delivery.lost) == (3, 2)
    bench.disk_works = True
    bench.run()
    told = {told["alert_id"] for told in bench.told}
    assert last.alert_id in told
    assert not told & {update.alert_id, first.alert_id}


def test_a_closing_that_found_no_room_in_memory_comes_later_and_no_record_counts_as_an_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Bench(tmp_path)
    first.publisher.start()
    goes_on = alert()
    first.run(goes_on)
    outbox = first.publisher._outbox
    assert outbox is not None
    outbox.close()

    def refuse(*_: object) -> None:
        raise StorageError("read-only")

    bench = Bench(tmp_path, NEXT_RUN, most_uncommitted=3)
    bench.publisher.start()
    with monkeypatch.context() as broken:
        broken.setattr(Outbox, "commit", refuse)
        bench.link.disconnect("gone")
        bad = HealthReport(
            "degraded", {"vision": {"state": "degraded", "reason": "x", "since_utc_ns": UTC_NS}}
        )
        bench.run(bad)
        for _ in range(10):
            bench.run(moment())
        assert (bench.publisher.delivery.lost, bench.publisher.delivery.records_lost) == (7, 0)
        bench.run(bad, after_s=400)
        assert (bench.publisher.delivery.lost, bench.publisher.delivery.records_lost) == (7, 1)
    bench.link.connect()
    for _ in range(3):
        bench.run()
    closed = [told for told in bench.told if told.get("alert_id") == goes_on.alert_id]
    assert [told["state"] for told in closed][-1:] == ["closed"]
    assert len(closed) == 1


def test_a_burst_is_not_mistaken_for_a_disk_that_refuses(tmp_path: Path) -> None:
    bench = Bench(tmp_path, most_uncommitted=3)
    bench.publisher.start()
    bench.run(*(moment() for _ in range(10)))
    assert (bench.publisher.delivery.delivered, bench.publisher.delivery.lost) == (10, 0)


def test_of_a_long_burst_the_first_are_sent_before_the_last_are_committed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, most_uncommitted=3)
    bench.publisher.start()
    bench.run()
    bench.inbox += [moment() for _ in range(1000)]
    bench.publisher.run_once(0)
    assert bench.told
    assert bench.publisher.delivery.uncommitted > 0
    bench.run()
    assert (bench.publisher.delivery.committed, bench.publisher.delivery.lost) == (1000, 0)


def test_who_stops_in_a_burst_commits_all_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, most_uncommitted=3)
    bench.publisher.start()
    bench.inbox += [moment() for _ in range(1000)]
    bench.publisher.stop(0)
    assert (bench.publisher.delivery.committed, bench.publisher.delivery.uncommitted) == (1000, 0)


def test_a_disk_that_refuses_deletions_does_not_bring_alerts_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_box: Outbox, _seqs: object) -> int:
        raise StorageError("read-only")

    with monkeypatch.context() as broken:
        broken.setattr(Outbox, "done", refuse)
        bench.run(moment())
        for _ in range(5):
            bench.run(after_s=60)
        assert len(bench.told) == 1
        assert bench.publisher.delivery.storage_error == "read-only"
    bench.run()
    assert (bench.publisher.delivery.pending, bench.publisher.delivery.delivered) == (0, 1)


def receipt(*named: tuple[str, int], device: str = "gate-1") -> bytes:
    return encode(receipt_message("depot", device, "centre", named, UTC_NS))


@pytest.fixture
def custody(tmp_path: Path) -> Bench:
    """A publisher that believes receipts only."""
    made = Bench(tmp_path, custody="receipt", window=3, confirm_timeout_s=10)
    made.publisher.start()
    return made


def test_with_custody_of_receipts_the_brokers_word_proves_nothing(custody: Bench) -> None:
    custody.run(moment(), moment())
    assert custody.publisher.delivery.pending == 2
    assert custody.retained(STATUS)[0]["custody"] == "receipt"
    custody.link.deliver(RECEIPT, receipt((IDENTITY.boot_id, 1), (IDENTITY.boot_id, 2)))
    custody.run()
    delivery = custody.publisher.delivery
    assert (delivery.pending, delivery.delivered, delivery.bad_receipts) == (0, 2, 0)


@pytest.mark.parametrize(
    ("body", "retained"),
    [
        (b"no json", False),
        (b"[" * 100_000, False),
        (receipt((IDENTITY.boot_id, 1), device="gate-2"), False),
        (receipt((IDENTITY.boot_id, 1)), True),
    ],
)
def test_a_receipt_that_cannot_be_believed_is_counted_and_changes_nothing(
    custody: Bench, body: bytes, retained: bool
) -> None:
    custody.run(moment())
    custody.link.deliver(RECEIPT, body, retained=retained)
    custody.run()
    assert (custody.publisher.delivery.pending, custody.publisher.delivery.bad_receipts) == (1, 1)


def test_a_receipt_for_what_is_unknown_does_no_harm(custody: Bench) -> None:
    custody.run(moment())
    foreign = [(NEXT_RUN.boot_id, 1), (IDENTITY.boot_id, 99), (IDENTITY.boot_id, 10**19)]
    custody.link.deliver(RECEIPT, receipt(*foreign))
    custody.run()
    assert (custody.publisher.delivery.pending, custody.publisher.delivery.bad_receipts) == (1, 0)


@pytest.mark.parametrize("mode", ["puback", "receipt"])
def test_a_receipt_for_another_runs_number_does_not_keep_an_alert_from_being_sent_again(
    tmp_path: Path, mode: str
) -> None:
    bench = Bench(tmp_path, custody=mode, confirm_timeout_s=10)
    bench.link.start = lambda: None  # type: ignore[method-assign]
    bench.answer(None)
    bench.publisher.start()
    bench.link.connect()
    bench.link.deliver(RECEIPT, receipt((NEXT_RUN.boot_id, 1), (NEXT_RUN.boot_id, 2)))
    bench.run(moment())
    bench.link.deliver(RECEIPT, receipt((NEXT_RUN.boot_id, 1)))
    bench.run(moment())
    sent = [told["seq"] for told in bench.told]
    assert sorted(sent) == [1, 2]
    bench.run(after_s=16)
    assert sorted(told["seq"] for told in bench.told) == [1, 1, 2, 2]


def test_receipts_lost_for_a_whole_window_do_not_stop_it(custody: Bench) -> None:
    custody.run(*(moment() for _ in range(5)))
    assert [told["seq"] for told in custody.told] == [1, 2, 3]
    custody.run(after_s=16)
    assert custody.publisher.delivery.state == "no_receipts"
    assert {told["seq"] for told in custody.told[3:]} <= {1, 2, 3, 4, 5}
    assert len(custody.told) == 6
    for _ in range(20):
        last = custody.told[-3:]
        custody.link.deliver(RECEIPT, receipt(*((told["boot_id"], told["seq"]) for told in last)))
        custody.run(after_s=20)
    assert (custody.publisher.delivery.pending, custody.publisher.delivery.state) == (0, "delivering")
    assert {told["seq"] for told in custody.told} == {1, 2, 3, 4, 5}


def test_the_first_receipt_after_a_silence_hurries_everything(custody: Bench) -> None:
    custody.run(*(moment() for _ in range(3)))
    for _ in range(6):
        custody.run(after_s=95)
    custody.run(after_s=12)
    sent = len(custody.told)
    custody.link.deliver(RECEIPT, receipt((IDENTITY.boot_id, 1)))
    custody.run()
    custody.run()
    assert {told["seq"] for told in custody.told[sent:]} == {2, 3}
    assert custody.publisher.delivery.state == "delivering"


@pytest.mark.parametrize(
    "body", [b"rubbish", receipt((NEXT_RUN.boot_id, 1)), receipt((IDENTITY.boot_id, 99))]
)
def test_a_receipt_that_names_nothing_of_ours_ends_no_silence(custody: Bench, body: bytes) -> None:
    custody.run(*(moment() for _ in range(3)))
    custody.run(after_s=16)
    custody.run(after_s=1)
    sent = len(custody.told)
    for _ in range(50):
        custody.link.deliver(RECEIPT, body)
        custody.run(after_s=0.1)
    assert custody.publisher.delivery.state == "no_receipts"
    assert len(custody.told) == sent


def test_a_message_that_no_collector_takes_does_not_bring_the_others_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, custody="receipt", confirm_timeout_s=10)
    bench.publisher.start()
    bench.run(moment())
    states = set()
    for seq in range(2, 200):
        bench.run(moment(), after_s=2)
        if seq > 3:  # the receipts are late by two steps
            bench.link.deliver(RECEIPT, receipt((IDENTITY.boot_id, seq - 2)))
        states.add(bench.publisher.delivery.state)
    copies = [told["seq"] for told in bench.told if told["seq"] != 1]
    assert len(copies) == len(set(copies))
    assert states == {"delivering"}


def test_a_broker_that_acknowledges_nothing_is_not_taken_for_one_that_delivers(tmp_path: Path) -> None:
    bench = Bench(tmp_path, confirm_timeout_s=10)
    bench.answer(None)
    bench.publisher.start()
    bench.run(moment())
    for _ in range(10):
        bench.run(after_s=10)
    assert bench.publisher.delivery.state == "no_pubacks"
    bench.answer(0)
    bench.run(moment(), after_s=1)
    assert bench.publisher.delivery.state == "delivering"
    bench.run(after_s=95)
    assert bench.publisher.delivery.pending == 0


def test_a_step_of_the_clock_is_told_before_anything_that_is_told_on_the_new_clock(bench: Bench) -> None:
    now_ns = bench.clock.utc_ns()
    bench.run(moment(observed_utc_ns=now_ns))
    bench.clock.utc_offset_ns += 3600 * 10**9
    late_old = moment(observed_utc_ns=now_ns)
    first_new = moment(observed_utc_ns=bench.clock.utc_ns())
    bench.run(first_new, late_old)
    told = bench.told
    assert_valid("clock", told[2])
    assert [one.get("alert_id", one.get("step_ms")) for one in told[1:]] == [
        late_old.alert_id,
        3600_000.0,
        first_new.alert_id,
    ]
    bench.clock.utc_offset_ns -= 7200 * 10**9
    bench.run()
    assert (bench.told[-1]["step_ms"], bench.told[-1]["seq"]) == (-7200_000.0, 5)


def test_time_outs_follow_the_monotonic_clock_alone(custody: Bench) -> None:
    custody.run(moment())
    for step_s in (3600, -7200):
        custody.clock.utc_offset_ns += step_s * 10**9
        custody.run(after_s=1)
    alerts = [told for told in custody.told if "alert_id" in told]
    assert len(alerts) == 1


def test_health_is_recorded_while_nobody_can_be_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    good = HealthReport("ok", {"vision": {"state": "ok", "reason": None, "since_utc_ns": UTC_NS}})
    blind = HealthReport("degraded", {"vision": {"state": "degraded", "reason": "x", "since_utc_ns": UTC_NS}})
    for _ in range(60):
        bench.run(good, after_s=10)
    bench.run(blind)
    bench.link.connect()
    bench.run(good)
    records = [one for one in bench.told if one["schema"] == "edgeguard.health.v1"]
    assert [record["state"] for record in records] == ["ok", "ok", "degraded"]
    for number, record in enumerate(records, 1):
        assert_valid("health", record)
        assert record["seq"] == number


def test_a_damaged_outbox_is_told_and_alerting_goes_on(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"no database" * 1000)
    bench = Bench(tmp_path)
    bench.publisher.start()
    bench.run(moment())
    bench.run()
    alerts = [told for told in bench.told if told["kind"] == "outbox_damaged"]
    assert len(bench.told) == 2
    (alert,) = alerts
    assert_valid("alert", alert)
    assert "set aside" in alert["summary"]
    assert (alert["severity"], alert["source"], alert["rule"]) == ("alarm", "outbox", "system")
    assert "damaged" in (bench.publisher.delivery.replaced or "")


def test_what_was_given_up_in_memory_is_told_once_the_disk_is_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, most_uncommitted=3)
    bench.disk_works = False
    bench.publisher.start()
    bench.run(*(moment() for _ in range(10)))
    bench.disk_works = True
    for _ in range(5):
        bench.run(after_s=400)
    (alert,) = [told for told in bench.told if told["kind"] == "alerts_shed"]
    assert alert["summary"].startswith("7 alerts")
    assert [one["value"] for one in alert["why"]] == [0, 0, 7]


def test_an_alert_that_cannot_be_made_into_a_message_costs_no_other(bench: Bench) -> None:
    bench.run(moment(), moment(media_ns=object()), moment())
    delivery = bench.publisher.delivery
    assert (delivery.delivered, delivery.lost) == (2 + 1, 1)
    assert bench.told[-1]["kind"] == "alerts_shed"


def test_stopping_says_so_and_leaves_nothing_untold(bench: Bench) -> None:
    bench.run()
    bench.inbox.append(moment())
    bench.publisher.stop(5)
    assert len(bench.told) == 1
    assert [status["state"] for status in bench.retained(STATUS)] == ["online", "stopped"]
    assert not bench.publisher.delivery.connected


def test_stopping_gives_up_in_time(bench: Bench) -> None:
    bench.answer(None)
    bench.run(moment())
    bench.publisher.stop(5)
    assert bench.clock.now_ns <= 5.1e9
    assert bench.retained(STATUS)[-1]["state"] == "stopped"


def test_stopping_is_said_even_where_the_broker_has_no_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.answer(None)
    bench.link.connect(receive_maximum=1)
    bench.run(moment())
    bench.publisher.stop(1)
    assert bench.retained(STATUS)[-1]["state"] == "stopped"


def test_stopping_without_a_broker_waits_for_nothing(bench: Bench) -> None:
    bench.answer(None)
    bench.run(moment())
    bench.link.disconnect("gone")
    bench.publisher.stop(5)
    assert bench.clock.now_ns == 0


def test_it_can_be_started_again(bench: Bench) -> None:
    bench.run(moment())
    bench.publisher.stop(1)
    bench.publisher.start()
    bench.run(moment())
    assert [told["seq"] for told in bench.told] == [1, 2]


class Faults(RuleBasedStateMachine):
    """Whatever breaks in whatever order: no alert is lost, no number comes twice, in the end all arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.given: set[str] = set()
        self.acknowledged: set[str] = set()
        self.number_of: dict[int, str] = {}
        self.code: int | None = 0
        self.boot()

    def boot(self) -> None:
        self.bench = Bench(Path(self.folder.name), window=3, confirm_timeout_s=5)
        self.bench.link.answer = self.judge
        self.bench.publisher.start()

    def judge(self, publication: Publication) -> int | None:
        if publication.retain:
            return 0
        told = body(publication)
        assert self.number_of.setdefault(told["seq"], told["alert_id"]) == told["alert_id"]
        assert told["alert_id"] in self.given, "told before it was given"
        if self.code == 0:
            self.acknowledged.add(told["alert_id"])
        return self.code

    def teardown(self) -> None:
        self.answer(0)
        self.bench.link.connect()
        for _ in range(100):
            self.bench.run(after_s=20)
        assert self.bench.publisher.delivery.pending == 0
        assert self.acknowledged == self.given
        self.bench.publisher.stop(0)
        self.folder.cleanup()

    @rule(count=st.integers(1, 5))
    def decide(self, count: int) -> None:
        alerts = [moment() for _ in range(count)]
        self.given |= {one.alert_id for one in alerts}
        self.bench.run(*alerts)

    @rule(code=st.sampled_from([0, 16, 135, None]))
    def answer(self, code: int | None) -> None:
        self.code = code

    @rule(after_s=st.floats(0, 30))
    def wait(self, after_s: float) -> None:
        self.bench.run(after_s=after_s)

    @precondition(lambda self: self.bench.publisher.delivery.connected)
    @rule()
    def lose_the_broker(self) -> None:
        self.bench.link.disconnect("gone")
        self.bench.run()

    @rule()
    def join_the_broker(self) -> None:
        self.bench.link.connect()
        self.bench.run()

    @rule()
    def crash(self) -> None:
        outbox = self.bench.publisher._outbox
        assert outbox is not None
        outbox.close()
        self.boot()


TestFaults = Faults.TestCase
TestFaults.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
