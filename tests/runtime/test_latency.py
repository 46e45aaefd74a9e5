from __future__ import annotations

import pytest

from edgeguard.clock import ManualClock
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.latency import Latency, passed
from edgeguard.types import Stages

MS = 1_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(10**12)


def figures(latency: Latency, board: HealthBoard) -> dict[str, float]:
    latency.refresh()
    return {
        name: value for name, value in board.part("latency").report().items() if "_p" in name or "_s" in name
    }


@pytest.fixture
def board(clock: ManualClock) -> HealthBoard:
    return HealthBoard(clock)


def test_a_picture_is_measured_from_stage_to_stage_as_far_as_it_came() -> None:
    stages = Stages(
        arrived_ns=30, infer_start_ns=35, infer_end_ns=75, ruled_ns=76, sensor_ns=5, received_ns=20
    )
    assert dict(passed(stages)) == {"sensor": 15, "decode": 10, "wait": 5, "infer": 40, "rule": 1}
    assert dict(passed(Stages(arrived_ns=30, infer_start_ns=35))) == {"wait": 5}
    assert dict(passed(Stages())) == {}


def test_what_was_measured_is_told_by_rank(clock: ManualClock, board: HealthBoard) -> None:
    latency = Latency(board.part("latency"), clock)
    for took in range(200, 0, -1):
        latency.note("infer", took * MS)
    latency.note("publish", 1_234_567)
    assert figures(latency, board) == {
        "infer_p50_ms": 100,
        "infer_p95_ms": 190,
        "infer_p99_ms": 198,
        "infer_samples": 200,
        "publish_p50_ms": 1.235,
        "publish_p95_ms": 1.235,
        "publish_p99_ms": 1.235,
        "publish_samples": 1,
    }
    assert board.part("latency").report()["state"] == "ok"


def test_of_very_many_the_newest_count(clock: ManualClock, board: HealthBoard) -> None:
    latency = Latency(board.part("latency"), clock)
    for took in (*range(5000), *[7 * MS] * 1000):
        latency.note("decode", took)
    assert figures(latency, board)["decode_p50_ms"] == 7
    assert figures(latency, board)["decode_samples"] == 1000


def test_what_is_old_is_no_news(clock: ManualClock, board: HealthBoard) -> None:
    latency = Latency(board.part("latency"), clock)
    latency.note("infer", MS)
    latency.note("commit", MS)
    clock.advance(601)
    assert {name.partition("_")[0] for name in figures(latency, board)} == {"commit"}
    clock.advance(86_400)
    assert figures(latency, board) == {}


def test_a_step_of_utc_changes_nothing(clock: ManualClock, board: HealthBoard) -> None:
    latency = Latency(board.part("latency"), clock)
    latency.note("infer", MS)
    clock.utc_offset_ns -= 10**18
    assert figures(latency, board)["infer_samples"] == 1
