from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.runtime.strain import GIVE_UP_S, HOLD_S, Strain
from edgeguard.speech import Effort

SECOND = 1_000_000_000


def run(strain: Strain, lags_s: list[float], start_s: int = 0) -> list[Effort]:
    return [strain.update(late_s, (start_s + i) * SECOND) for i, late_s in enumerate(lags_s)]


def test_work_is_given_up_in_order_as_the_lag_grows() -> None:
    assert run(Strain(), [0, 1.9, 2.0, 3.9, 4.0, 6.0, 9.0]) == [
        Effort.ALL,
        Effort.ALL,
        Effort.WORDS,
        Effort.WORDS,
        Effort.SOUNDS,
        Effort.NOTHING,
        Effort.NOTHING,
    ]


def test_each_step_gets_time_to_help() -> None:
    strain = Strain()
    assert [strain.update(9.0, ns) for ns in (0, SECOND // 2, SECOND)] == [
        Effort.WORDS,
        Effort.WORDS,
        Effort.SOUNDS,
    ]


def test_it_is_taken_up_again_one_step_after_another() -> None:
    strain = Strain()
    run(strain, [9.0] * 3)
    efforts = run(strain, [0.1] * 100, start_s=3)
    assert efforts[: int(HOLD_S)] == [Effort.NOTHING] * int(HOLD_S)
    assert efforts[-1] is Effort.ALL
    assert [e for i, e in enumerate(efforts) if i and e is not efforts[i - 1]] == [
        Effort.SOUNDS,
        Effort.WORDS,
        Effort.ALL,
    ]


def test_a_lag_in_between_neither_gives_up_nor_takes_up() -> None:
    strain = Strain()
    strain.update(2.0, 0)
    assert set(run(strain, [1.0] * 500, start_s=1)) == {Effort.WORDS}


def test_a_try_that_fails_makes_the_next_one_later() -> None:
    strain = Strain()
    now_s = 0
    pauses = []
    strain.update(2.0, 0)
    for _ in range(8):
        since_s = now_s
        while strain.effort is Effort.WORDS:
            now_s += 1
            strain.update(0.0, now_s * SECOND)
        pauses.append(now_s - since_s)
        now_s += 2
        strain.update(2.5, now_s * SECOND)
    assert pauses == sorted(pauses)
    assert pauses[0] < 40 < pauses[2]
    assert pauses[-1] < 1000


@given(st.lists(st.floats(0, 20), max_size=300), st.integers(100_000_000, 5 * SECOND))
def test_it_moves_one_step_at_a_time_and_only_for_cause(lags_s: list[float], step_ns: int) -> None:
    strain = Strain()
    before = strain.effort
    for i, late_s in enumerate(lags_s):
        effort = strain.update(late_s, i * step_ns)
        assert abs(effort - before) <= 1
        if effort > before:
            assert late_s >= GIVE_UP_S[before]
        if effort < before:
            assert late_s <= 0.5
        before = effort


@given(st.lists(st.floats(0, 1.99), max_size=100))
def test_who_is_never_late_gives_nothing_up(lags_s: list[float]) -> None:
    assert set(run(Strain(), lags_s)) <= {Effort.ALL}
