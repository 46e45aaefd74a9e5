"""The byte ledger: totals that add up whoever counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from edgeguard.cuda.ledger import Crossings, Ledger


def test_what_is_counted_adds_up() -> None:
    ledger = Ledger()
    ledger.count(registrations=1, frames=1)
    ledger.count(hits=1, frames=1)
    assert ledger.read() == Crossings(registrations=1, hits=1, frames=2)
    assert ledger.read().as_measures()["frames"] == 2


def test_two_threads_lose_nothing() -> None:
    ledger = Ledger()

    def many(_number: int) -> None:
        for _ in range(2_000):
            ledger.count(frames=1, h2d_bytes=3)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(many, range(4)))
    assert ledger.read() == Crossings(frames=8_000, h2d_bytes=24_000)


@pytest.mark.parametrize("name", ["host_maps", "h2d_bytes", "d2h_bytes", "flattens"])
def test_a_picture_that_touches_the_host_ends_zero_copy(name: str) -> None:
    ledger = Ledger()
    ledger.count(registrations=11, hits=289, frames=300)
    assert ledger.read().is_zero_copy
    ledger.count(**{name: 1})
    assert not ledger.read().is_zero_copy


def test_a_count_of_another_name_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Ledger().count(copies=1)


def test_ledgers_add_up() -> None:
    one, other = Crossings(registrations=11, hits=2, frames=13), Crossings(d2h_bytes=7, hits=1, frames=1)
    assert one + other == Crossings(registrations=11, hits=3, frames=14, d2h_bytes=7)
