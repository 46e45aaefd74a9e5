"""Counts are live state: the newest of each camera is retained, none is kept for later."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.types import Counts
from tests.alerts.strict import assert_valid
from tests.alerts.test_publisher import Bench

GATE = "edgeguard/v1/depot/gate-1/up/counts/gate"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.publisher.start()
    return bench


def counts(people: int, source: str = "gate") -> Counts:
    return Counts(source, {"person": people}, {}, {"dock": {"person": people}})


def test_counts_are_retained_under_their_camera(bench: Bench) -> None:
    bench.run(counts(2))
    (message,) = bench.retained(GATE)
    assert_valid("counts", message)
    assert (message["source"], message["seen"]) == ("gate", {"person": 2})
    assert message["zones"] == {"dock": {"person": 2}}


def test_of_several_that_wait_only_the_newest_is_told(bench: Bench) -> None:
    bench.run(counts(1), counts(1, "yard"), counts(2))
    assert [message["seen"]["person"] for message in bench.retained(GATE)] == [2]


def test_they_are_told_again_to_a_broker_that_comes_back(bench: Bench) -> None:
    bench.run(counts(1))
    bench.link.disconnect("gone")
    bench.run(counts(3))
    bench.link.connect()
    bench.run()
    assert [message["seen"]["person"] for message in bench.retained(GATE)] == [1, 3]


def test_none_is_durable(bench: Bench) -> None:
    bench.run(counts(1))
    assert bench.publisher.delivery.committed == 0
    assert bench.publisher.delivery.pending == 0
