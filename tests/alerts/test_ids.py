from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.ids import Uuid7
from edgeguard.clock import ManualClock


@given(st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=50))
def test_ids_rise_whatever_the_clock_does(steps_ms: list[int]) -> None:
    clock = ManualClock()
    new_id = Uuid7(clock)
    ids = []
    for step_ms in steps_ms:
        clock.now_ns += step_ms * 1_000_000
        ids += [new_id(), new_id()]
    assert ids == sorted(set(ids))


def test_the_layout_is_that_of_rfc_9562() -> None:
    """The values of its appendix A.6."""
    clock = ManualClock(0, 0x017F22E279B0 * 1_000_000)
    tail = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    new_id = Uuid7(clock, randbits=lambda _bits: tail)
    assert new_id() == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_version_and_variant_are_named() -> None:
    one = UUID(Uuid7(ManualClock())())
    assert (one.version, one.variant) == (7, RFC_4122)


def test_a_full_tail_borrows_the_next_millisecond() -> None:
    new_id = Uuid7(ManualClock(), randbits=lambda _bits: (1 << 74) - 1)
    ids = [new_id() for _ in range(3)]
    assert ids == sorted(set(ids))


def test_a_clock_before_1970_still_gives_ids() -> None:
    assert UUID(Uuid7(ManualClock(0, -(10**18)))()).version == 7
