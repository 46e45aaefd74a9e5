from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from edgeguard.alerts.desk import Desk, DeskReport
from edgeguard.alerts.parcels import PostReport
from edgeguard.clock import ManualClock
from edgeguard.runtime.answering import DeskHealth
from edgeguard.runtime.health import HealthBoard, State

FINE = DeskReport(
    inbound={"done_ack": 3, "refused_malformed": 2},
    verdicts={"stay.true": 1},
    escalated=4,
    unacknowledged=5,
    unreadable=1,
    posts=PostReport(waiting=1, delivered=2, given_up=0),
    audit_head="ab" * 32,
)


class Bench:
    def __init__(self, report: DeskReport) -> None:
        self.desk = type("Told", (), {"report": report})()
        self.board = HealthBoard(ManualClock())
        self.health = DeskHealth(cast(Desk, self.desk), self.board)
        self.health.say()


def test_what_goes_well_is_ok_and_counted() -> None:
    board = Bench(FINE).board
    assert board.state is State.OK
    assert board.part("inbound").counters == {"done_ack": 3, "refused_malformed": 2}
    assert board.part("verdicts").counters == {"stay.true": 1}
    assert board.part("escalation").counters == {"escalated": 4, "unacknowledged": 5, "unreadable": 1}
    assert board.part("webhook").counters == {"waiting": 1, "delivered": 2, "given_up": 0}
    assert board.part("audit").counters == {"failed": 0, "head": "ab" * 32}


@pytest.mark.parametrize(
    ("report", "part", "reason"),
    [
        (replace(FINE, audit_error="cannot write"), "audit", "cannot write"),
        (replace(FINE, posts=PostReport(error="status 500")), "webhook", "status 500"),
    ],
)
def test_what_fails_says_why(report: DeskReport, part: str, reason: str) -> None:
    bench = Bench(report)
    assert (bench.board.part(part).state, bench.board.part(part).reason) == (State.DEGRADED, reason)
    bench.desk.report = FINE
    bench.health.say()
    assert bench.board.state is State.OK


def test_without_a_webhook_its_part_is_off() -> None:
    assert Bench(replace(FINE, posts=None)).board.part("webhook").state is State.OFF
