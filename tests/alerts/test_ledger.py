"""The ledger beside a plain model of what was said about each alert: commits, restarts, clock steps."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from edgeguard.alerts.escalation import Escalation
from edgeguard.clock import ManualClock
from edgeguard.types import Alert, AlertState, Severity
from tests.support.alerts import IDENTITY, UTC_NS, alert, moment
from tests.support.desk import DeskBench

AFTER_S = 60


@dataclass
class Known:
    """What the model knows of one alert."""

    alert: Alert
    revision: int = 1
    open: bool = True
    verdict: str | None = None
    acknowledged: bool = False
    escalated: bool = False
    due_s: float | None = None


class LedgerMachine(RuleBasedStateMachine):
    """Times are in whole seconds, and a deadline is never within the second in which it is looked at."""

    alerts = Bundle("alerts")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock()
        self.runs = 0
        self.model: dict[str, Known] = {}
        self.verdicts: Counter[str] = Counter()
        self.bench = self._start()

    def _start(self) -> DeskBench:
        self.runs += 1
        boot_id = f"00000000-0000-4000-8000-{self.runs:012d}"
        return DeskBench(
            self.folder, Escalation(AFTER_S), identity=replace(IDENTITY, boot_id=boot_id), clock=self.clock
        )

    @property
    def now_s(self) -> float:
        return self.clock.now_ns / 1e9

    @rule(
        target=alerts,
        severity=st.sampled_from(Severity),
        goes_on=st.booleans(),
        name=st.sampled_from(["stay", "cross"]),
    )
    def open(self, severity: Severity, goes_on: bool, name: str) -> str:
        one = (alert if goes_on else moment)(severity=severity, rule=name)
        waits = severity in (Severity.ALARM, Severity.CRITICAL)
        self.bench.run(one)
        self.model[one.alert_id] = Known(one, open=goes_on, due_s=self.now_s + AFTER_S if waits else None)
        return one.alert_id

    @rule(alert_id=alerts, closes=st.booleans())
    def follow(self, alert_id: str, closes: bool) -> None:
        """The policy numbers its own revisions and knows of no others."""
        known = self.model[alert_id]
        if not known.open:
            return
        state = AlertState.CLOSED if closes else AlertState.UPDATED
        known.alert = replace(
            known.alert,
            revision=known.alert.revision + 1,
            state=state,
            closed_utc_ns=UTC_NS if closes else None,
        )
        self.bench.run(known.alert)
        known.revision += 1
        known.open = not closes

    @rule(alert_id=alerts, verdict=st.sampled_from(["true", "false_alarm", None]), by=st.sampled_from("ab"))
    def acknowledge(self, alert_id: str, verdict: str | None, by: str) -> None:
        self.clock.advance(1)
        known = self.model[alert_id]
        self._look()
        assert self.bench.ack(alert_id, verdict, by)["ok"]
        if verdict is None and known.verdict is not None:
            return
        if verdict != known.verdict:
            self.verdicts[f"{known.alert.rule}.{known.verdict}"] -= 1
            self.verdicts[f"{known.alert.rule}.{verdict}"] += 1
        known.verdict, known.acknowledged, known.due_s = verdict, True, None
        known.revision += 1

    @rule(seconds=st.sampled_from([1, 7, 30, 200]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self._look()

    @rule(hours=st.sampled_from([-5, 5]))
    def step_the_clock(self, hours: int) -> None:
        self.clock.utc_offset_ns += hours * 3600 * 10**9
        self.clock.advance(1)
        self._look()

    @rule()
    def restart(self) -> None:
        """Orderly or not makes no difference to what is on the disk."""
        assert self.bench.outbox is not None
        self.bench.outbox.close()
        self.bench = self._start()
        for known in self.model.values():
            known.revision += known.open
            known.open = False

    def _look(self) -> None:
        self.bench.run()
        for known in self.model.values():
            if known.due_s is not None and known.due_s <= self.now_s:
                known.due_s, known.escalated = None, True
                known.revision += 1

    @invariant()
    def says_the_same(self) -> None:
        for alert_id, known in self.model.items():
            told = self.bench.known(alert_id)
            assert told is not None
            assert told["revision"] == known.revision
            assert (told["closed_at"] is None) is known.open
            assert (told["acknowledged"] is not None) is known.acknowledged
            assert (told["escalated_at"] is not None) is known.escalated
            raised = Severity.CRITICAL if known.escalated else known.alert.severity
            assert told["severity"] == raised.value

    @invariant()
    def counts_verdicts_and_waits(self) -> None:
        outbox = self.bench.outbox
        assert outbox is not None
        counted = outbox.transaction(self.bench.ledger.verdicts)
        wanted = {name: n for name, n in self.verdicts.items() if n and not name.endswith(".None")}
        assert {name: n for name, n in counted.items() if n} == wanted
        waiting = sum(known.due_s is not None for known in self.model.values())
        assert outbox.transaction(self.bench.ledger.waiting) == waiting

    def teardown(self) -> None:
        assert self.bench.outbox is not None
        self.bench.outbox.close()
        shutil.rmtree(self.folder)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_revisions_never_collide_where_the_file_was_lost(tmp_path: Path) -> None:
    bench = DeskBench(tmp_path)
    one = alert()
    bench.run(one)
    for by in "abc":
        bench.ack(one.alert_id, by=by)
    for file in tmp_path.glob("outbox.db*"):
        if not file.name.endswith(".seq"):
            file.unlink()
    for number, state in ((2, AlertState.UPDATED), (3, AlertState.CLOSED)):
        closed = UTC_NS if state is AlertState.CLOSED else None
        bench.run(alert(alert_id=one.alert_id, revision=number, state=state, closed_utc_ns=closed))
    revisions = [told["revision"] for told in bench.told if told["alert_id"] == one.alert_id]
    assert len(revisions) == len(set(revisions)) == 6
    assert revisions == sorted(revisions)


@pytest.mark.parametrize("most_over", [0, 10])
def test_what_is_over_is_forgotten_and_nothing_else(tmp_path: Path, most_over: int) -> None:
    bench = DeskBench(tmp_path, Escalation(1e6), most_over=most_over)
    going_on, waiting = alert(), moment(severity=Severity.ALARM)
    bench.run(going_on, waiting)
    over = [moment() for _ in range(1200)]
    bench.run(*over)
    assert bench.known(going_on.alert_id) is not None
    assert bench.known(waiting.alert_id) is not None
    assert bench.known(over[0].alert_id) is None
    assert bench.known(over[-1].alert_id) is not None
    assert bench.outbox is not None
    (kept,) = bench.outbox.transaction(lambda db: db.execute("SELECT count(*) FROM told").fetchone())
    assert kept <= most_over + 500 + 2


DAMAGE = [b"\xff\x00", b"[]", b'{"alert_id":"x"}', "text"]


def damage(bench: DeskBench, alert_id: str, body: bytes | str) -> None:
    """What remains of a row after damage that SQLite itself does not see."""
    assert bench.outbox is not None
    change = "UPDATE told SET body = ? WHERE alert_id = ?"
    bench.outbox.transaction(lambda db: db.execute(change, (body, alert_id)))


@pytest.mark.parametrize("body", DAMAGE)
def test_an_unreadable_alert_stands_in_nobodys_way_and_is_counted(
    tmp_path: Path, body: bytes | str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = DeskBench(tmp_path, Escalation(60, Severity.WARNING), webhook=True)
    bad, good = alert(), alert()
    bench.run(bad, good)
    damage(bench, bad.alert_id, body)
    later = [alert() for _ in range(10)]
    for one in later:
        bench.run(one, after_s=61)
    bench.run(after_s=1)
    delivery, report = bench.publisher.delivery, bench.desk.report
    assert {one.alert_id for one in later} <= {told["alert_id"] for told in bench.told}
    assert (delivery.pending, delivery.gate_error, delivery.storage_error) == (0, None, None)
    assert [told["severity"] for told in bench.told if told["alert_id"] == good.alert_id][-1] == "critical"
    assert report.unreadable == 1
    assert bad.alert_id in caplog.text
    assert not bench.ack(bad.alert_id)["ok"]


@pytest.mark.parametrize("body", DAMAGE)
def test_an_unreadable_alert_is_told_on_under_a_revision_that_is_new(
    tmp_path: Path, body: bytes | str
) -> None:
    bench = DeskBench(tmp_path)
    one = alert()
    bench.run(one)
    damage(bench, one.alert_id, body)
    bench.run(alert(alert_id=one.alert_id, revision=2, state=AlertState.CLOSED, closed_utc_ns=UTC_NS))
    assert (bench.told[-1]["state"], bench.told[-1]["revision"] > 2) == ("closed", True)
    assert bench.publisher.delivery.lost == 0


@pytest.mark.parametrize("body", DAMAGE)
def test_one_unreadable_alert_does_not_keep_the_others_open(tmp_path: Path, body: bytes | str) -> None:
    first = DeskBench(tmp_path)
    ones = [alert() for _ in range(3)]
    first.run(*ones)
    damage(first, ones[1].alert_id, body)
    assert first.outbox is not None
    first.outbox.close()
    second = DeskBench(tmp_path, identity=replace(IDENTITY, boot_id="00000000-0000-4000-8000-000000000002"))
    second.run()
    closed = {told["alert_id"] for told in second.told if told["state"] == "closed"}
    assert closed == {ones[0].alert_id, ones[2].alert_id}
    second.run(after_s=1)
    assert second.desk.report.unreadable == 1
