"""A guard that is plagued for forty seconds, and the judgement on such runs."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from _chaos_ledger import Span, blind_spans
from _chaos_verdict import Darkness, admission, judge, overloads
from _chaos_watch import Sample
from _street import Passage, Street

from edgeguard.coverage import Ledger, Record, What

ROOT = Path(__file__).parents[2]
S = 1_000_000_000


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_no_alert_is_lost_every_fault_is_shown_and_all_recovers() -> None:
    command = [sys.executable, "tools/soak.py", "chaos", "--seconds", "40", "--seed", "5", "--watchdog", "6"]
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert figures["lost"] == figures["unreported"] == figures["unforeseen_restarts"] == 0
    assert figures["recovered"] is True
    assert figures["owed"] > 0 or figures["slow"] > 20
    assert {"exception", "hang", "kill", "broker", "camera", "clock"} <= set(figures["kinds"])
    assert figures["faults"] == sum(kind["count"] for kind in figures["kinds"].values()) >= 7


def alert(passage: Passage, late_s: float = 0.2, **other: Any) -> dict[str, Any]:
    arrived_ns = round((passage.at_s + late_s) * S)
    return {
        "source": passage.source,
        "rule": passage.rule,
        "stages": {"arrived_ns": arrived_ns},
        **other,
    }


def never(source: str, from_ns: int, to_ns: int) -> bool:
    return False


PASSAGES = [*Street("yard").passages(100, 112)]


def test_people_pass_the_line_and_then_enter_the_gateway() -> None:
    assert [passage.rule for passage in PASSAGES[:2]] == ["yard-line", "yard-in"]
    assert len(PASSAGES) == 8
    assert all(passage.begins_s < passage.at_s for passage in PASSAGES)


def test_what_arrived_once_is_all_that_was_owed() -> None:
    verdict = judge(PASSAGES, [alert(passage) for passage in PASSAGES], [], never)
    assert (verdict.owed, verdict.lost, verdict.doubled, verdict.unplanned) == (8, [], 0, [])


def test_what_did_not_arrive_is_lost() -> None:
    verdict = judge(PASSAGES, [alert(passage) for passage in PASSAGES[1:]], [], never)
    assert verdict.lost == PASSAGES[:1]


def test_an_alert_much_too_late_is_for_nobody() -> None:
    verdict = judge(PASSAGES[:1], [alert(PASSAGES[0], late_s=2.5)], [], never)
    assert (verdict.lost, len(verdict.unplanned)) == (PASSAGES[:1], 1)


def test_two_alerts_of_one_passage_are_one_too_many() -> None:
    verdict = judge(PASSAGES[:1], [alert(PASSAGES[0]), alert(PASSAGES[0], late_s=0.5)], [], never)
    assert (verdict.lost, verdict.doubled) == ([], 1)


@pytest.mark.parametrize("source", ["yard", "lane"])
def test_nothing_is_owed_of_a_camera_that_was_lost_and_something_of_the_others(source: str) -> None:
    dark = Darkness(frozenset({source}), round((PASSAGES[0].begins_s - 1) * S), round(PASSAGES[0].at_s * S))
    verdict = judge(PASSAGES[:1], [], [dark], never)
    assert verdict.owed == (source != "yard")
    assert verdict.silent == (PASSAGES[:1] if source == "yard" else [])
    assert judge(PASSAGES[:1], [], [dark], lambda *_: True).missed == (source == "yard")


def test_a_slow_machine_is_known_by_its_code_by_what_it_leaves_out_and_by_its_rate() -> None:
    def sample(at: int, replaced: int, code: str | None = None, **more: object) -> Sample:
        return Sample(at * S // 5, 1, {"camera/yard": {"frames_replaced": replaced, "code": code, **more}})

    assert overloads(["yard"], [sample(at, at // 5) for at in range(20)]) == []
    slow = overloads(["yard"], [sample(at, at) for at in range(20)])
    assert slow[0].sources == {"yard"}
    assert len(slow) >= 14
    assert len(overloads(["yard"], [sample(at, 0, "overloaded") for at in range(20)])) == 20
    assert len(overloads(["yard"], [sample(9, 0, state="ok", rate_per_s=6.0)])) == 1
    assert overloads(["yard"], [sample(9, 0, state="ok", rate_per_s=9.0)]) == []


def test_nothing_is_said_of_a_passage_for_which_the_machine_was_too_slow() -> None:
    slow = [Darkness(frozenset({"yard"}), 0, 1000 * S)]
    verdict = judge(PASSAGES, [], [], never, slow)
    assert (verdict.slow, verdict.owed, verdict.lost, verdict.silent) == (8, 0, [], [])


def test_the_guard_admits_by_its_book_by_its_health_or_by_its_silence() -> None:
    well = Sample(5 * S, 1, {"vision": {"state": "ok", "reason": None}})
    unwell = Sample(6 * S, 1, {"vision": {"state": "degraded", "reason": "a fault"}})
    silent = Sample(7 * S, 1, None)
    assert not admission([well], {})("yard", 0, 10 * S)
    assert admission([well, unwell], {})("yard", 0, 10 * S)
    assert admission([well, silent], {})("yard", 0, 10 * S)
    assert not admission([unwell], {})("yard", 8 * S, 10 * S)
    assert admission([well], {"yard": [Span(1 * S, 2 * S)]})("yard", 0, 10 * S)
    assert not admission([well], {"yard": [Span(1 * S, 2 * S)]})("yard", 3 * S, 10 * S)


def test_the_book_tells_losses_and_the_time_in_which_the_guard_was_dead(tmp_path: Path) -> None:
    def begin(run: str, at_s: int) -> Record:
        lost = {"yard": ("connecting", at_s * S)}
        return Record(What.BEGIN, 0, at_s * S, run=run, boot="b", sources=("yard",), lost=lost)

    ledger = Ledger(tmp_path)
    ledger.begin(begin("first", 10))
    ledger.write(Record(What.BACK, 0, 12 * S, "yard", at_ns=11 * S), begin("first", 12))
    ledger.write(Record(What.LOST, 0, 21 * S, "yard", "stalled", 20 * S), begin("first", 21))
    ledger.write(Record(What.BACK, 0, 25 * S, "yard", at_ns=24 * S), begin("first", 25))
    ledger.begin(begin("second", 40))
    spans = blind_spans(tmp_path)["yard"]
    assert [(span.from_ns // S, span.to_ns / S) for span in spans] == [(10, 11), (20, 24), (25, math.inf)]
    assert spans[-1].cause == "restarted"
