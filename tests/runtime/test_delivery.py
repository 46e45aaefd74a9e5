from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from edgeguard.alerts.delivery import Delivery
from edgeguard.alerts.publisher import Publisher
from edgeguard.clock import ManualClock
from edgeguard.runtime.delivery import DeliveryStage
from edgeguard.runtime.health import HealthBoard, State

FINE = Delivery(state="delivering", reason=None, committed=9, delivered=7, pending=2, oldest_pending_s=1.26)


class Scripted:
    """A publisher whose delivery goes as told."""

    def __init__(self) -> None:
        self.delivery = FINE
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def run_once(self, timeout_s: float) -> None:
        self.calls.append("run_once")

    def stop(self, timeout_s: float) -> None:
        self.calls.append("stop")


class Bench:
    def __init__(self, health_every_s: float | None = None) -> None:
        self.clock = ManualClock()
        self.board = HealthBoard(self.clock)
        self.publisher = Scripted()
        self.broker, self.outbox = self.board.part("broker"), self.board.part("outbox")
        self.stage = DeliveryStage(
            cast(Publisher, self.publisher), self.broker, self.outbox, health_every_s=health_every_s
        )
        self.stage.open()

    def step(self, delivery: Delivery) -> Bench:
        self.publisher.delivery = delivery
        self.stage.step()
        return self


def test_what_goes_well_is_ok_and_counted() -> None:
    bench = Bench().step(FINE)
    assert (bench.broker.state, bench.outbox.state) == (State.OK, State.OK)
    assert bench.outbox.counters == {
        "pending": 2,
        "committed": 9,
        "delivered": 7,
        "lost": 0,
        "records_lost": 0,
        "oldest_pending_s": 1.3,
        "bad_receipts": 0,
    }


@pytest.mark.parametrize("state", ["disconnected", "refused", "no_subscriber"])
def test_what_is_not_delivered_is_the_brokers_part(state: str) -> None:
    bench = Bench().step(replace(FINE, state=state, reason="cannot connect"))
    assert (bench.broker.state, bench.broker.reason) == (State.DEGRADED, "cannot connect")
    assert bench.outbox.state is State.OK
    bench.step(FINE)
    assert (bench.broker.state, bench.broker.reason) == (State.OK, None)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"storage_error": "disk I/O error"}, "disk I/O error"),
        ({"replaced": "it was set aside as /state/outbox.db.damaged-1"}, "damaged-1"),
        ({"gate_error": "requests are not done"}, "requests are not done"),
        ({"ballast_used": True}, "lives on its reserve"),
        ({"storage_error": "disk I/O error", "ballast_used": True}, "disk I/O error"),
    ],
)
def test_what_cannot_be_kept_is_the_outboxs_part(trouble: dict[str, object], said: str) -> None:
    bench = Bench().step(replace(FINE, **trouble))
    assert bench.outbox.state is State.DEGRADED
    assert said in (bench.outbox.reason or "")
    assert bench.broker.state is State.OK


def test_the_publisher_starts_once_however_often_the_stage_fails() -> None:
    bench = Bench()
    acts: list[Callable[[], None]] = [bench.stage.step, bench.stage.close, bench.stage.open, bench.stage.step]
    for act in acts:
        act()
    bench.stage.finish()
    assert bench.publisher.calls == ["start", "run_once", "run_once", "stop"]
