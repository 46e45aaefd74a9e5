from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.collector.judging import Row, judged

GRACE = 30


def row(audited_to: int = 0, seq_high: int = 0, told_high_ns: int = 0, progress_ns: int = 0) -> Row:
    return Row(audited_to, seq_high, told_high_ns, progress_ns)


def test_a_row_without_holes_is_accounted_for() -> None:
    assert judged(row(), [(1, 0), (2, 0), (3, 99)], 100, GRACE) == (3, [])


def test_a_hole_waits_for_its_grace() -> None:
    seen = [(1, 0), (4, 70), (6, 71)]
    assert judged(row(), seen, 99, GRACE) == (1, [])
    assert judged(row(), seen, 100, GRACE) == (4, [(2, 3)])
    assert judged(row(), seen, 101, GRACE) == (6, [(2, 3), (5, 5)])


def test_one_number_of_two_runs_counts_once() -> None:
    assert judged(row(), [(1, 0), (1, 0), (2, 0)], 100, GRACE) == (2, [])


def test_what_was_given_out_and_did_not_come_is_missing_when_nothing_moves() -> None:
    assert judged(row(3, 5, told_high_ns=70), [], 99, GRACE) == (3, [])
    assert judged(row(3, 5, told_high_ns=70), [], 100, GRACE) == (5, [(4, 5)])
    assert judged(row(3, 5, 70, progress_ns=99), [], 100, GRACE) == (3, []), "a backlog comes in"
    assert judged(row(3, 5), [], 100, GRACE, all_seen=False) == (3, []), "there is more to look at"


@given(
    numbers=st.sets(st.integers(1, 60)),
    audited_to=st.integers(0, 20),
    seq_high=st.integers(0, 70),
    ages=st.randoms(use_true_random=False),
)
def test_a_number_is_here_or_missing_or_not_judged_yet(
    numbers: set[int], audited_to: int, seq_high: int, ages: object
) -> None:
    above = sorted(number for number in numbers if number > audited_to)
    seen = [(number, ages.randrange(200)) for number in above]  # type: ignore[attr-defined]
    to, gaps = judged(row(audited_to, seq_high), seen, 100, GRACE)
    missing = {number for first, last in gaps for number in range(first, last + 1)}
    assert to >= audited_to
    assert missing == set(range(audited_to + 1, to + 1)) - numbers
    if all(received <= 70 for _, received in seen):
        assert to == max([audited_to, seq_high, *above])
