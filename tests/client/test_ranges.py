from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.client.ranges import Ranges

NUMBERS = st.integers(-5, 40)
CHANGES = st.lists(st.tuples(st.booleans(), NUMBERS, NUMBERS), max_size=30)


def members(first: int, last: int) -> set[int]:
    return set(range(first, last + 1))


@given(CHANGES, NUMBERS, NUMBERS)
def test_it_is_a_set_of_numbers(changes: list[tuple[bool, int, int]], first: int, last: int) -> None:
    ranges, numbers = Ranges(), set[int]()
    for put, low, high in changes:
        (ranges.add if put else ranges.remove)(low, high)
        numbers = numbers | members(low, high) if put else numbers - members(low, high)
        kept = list(ranges)
        assert set().union(*(members(*one) for one in kept)) == numbers
        assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(kept))
    assert ranges.total == len(numbers)
    assert len(ranges) == len(list(ranges))
    assert [number in ranges for number in range(-6, 42)] == [n in numbers for n in range(-6, 42)]
    asked = members(first, last)
    assert set().union(*(members(*one) for one in ranges.missing(first, last))) == asked - numbers
    assert set().union(*(members(*one) for one in ranges.common(first, last))) == asked & numbers


def test_what_touches_is_one() -> None:
    assert list(Ranges([(1, 2), (5, 9), (3, 4)])) == [(1, 9)]
