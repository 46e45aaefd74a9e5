from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edgeguard.client.sequence import Gap, Sequence

S = 1_000_000_000
GRACE_NS = 30 * S
LONG_NS = 40 * S


def test_what_was_before_the_first_word_is_nobodys_business() -> None:
    row = Sequence(GRACE_NS)
    row.heard(50, 0)
    row.heard(48, 0)
    assert row.look(LONG_NS) == []


def test_a_late_number_within_the_grace_is_no_gap() -> None:
    row = Sequence(GRACE_NS)
    row.heard(1, 0)
    row.heard(3, 0)
    row.heard(2, 20 * S)
    assert row.look(LONG_NS) == []


def test_a_gap_is_told_in_time_although_more_keeps_coming() -> None:
    row = Sequence(GRACE_NS)
    row.heard(1, 0)
    told: list[tuple[int, Gap]] = []
    for second in range(1, 60):
        row.heard(second + 2, second * S)
        told += [(second, gap) for gap in row.look(second * S)]
    assert [gap for _, gap in told] == [Gap(2, 2, "missing")]
    assert 31 <= told[0][0] <= 35


def test_while_a_backlog_comes_in_its_rest_is_not_missing() -> None:
    row = Sequence(GRACE_NS)
    row.told(0, 0)
    row.told(100, 0)
    for second in range(1, 61):
        row.heard(second, second * S)
        assert row.look(second * S) == []
    assert row.look(150 * S) == [Gap(61, 100, "missing")]


def test_a_number_that_comes_again_is_no_news() -> None:
    row = Sequence(GRACE_NS)
    assert row.heard(1, 0)
    assert not row.heard(1, 0)


def test_old_numbers_that_come_again_do_not_make_what_was_between_missing() -> None:
    row = Sequence(10, most_ranges=2)
    row.heard(1000, 0)
    for seq in (2, 4, 6):
        row.heard(seq, 0)
    row.told(1001, 0)
    row.heard(1001, 1)
    assert row.look(1000) == []


def test_explained_numbers_are_not_missing() -> None:
    row = Sequence(GRACE_NS)
    row.heard(1, 0)
    row.heard(9, 0)
    row.explain(2, 5, "shed")
    assert row.look(LONG_NS) == [Gap(6, 8, "missing")]
    row.explain(1, 9, "expired")
    assert row.look(LONG_NS) == [Gap(6, 8, "expired")]
    assert row.missing == []


@given(st.integers(2, 50))
def test_it_stays_small(most: int) -> None:
    row = Sequence(GRACE_NS, most_ranges=most)
    for number in range(1, 400, 2):
        row.heard(number, number)
    row.look(LONG_NS)
    assert len(row.missing) <= most


class Row(RuleBasedStateMachine):
    """Against a naive model: sets of numbers."""

    @initialize()
    def begin(self) -> None:
        self.now_ns = 0
        self.row = Sequence(GRACE_NS)
        self.row.told(0, 0)
        self.here: set[int] = set()
        self.high = 0
        self.open: set[int] = set()

    @rule(number=st.integers(1, 40))
    def hear(self, number: int) -> None:
        assert self.row.heard(number, self.now_ns) == (number not in self.here)
        self.here.add(number)
        self.high = max(self.high, number)

    @rule(number=st.integers(1, 40))
    def tell(self, number: int) -> None:
        self.row.told(number, self.now_ns)
        self.high = max(self.high, number)

    @rule(first=st.integers(1, 40), length=st.integers(0, 5))
    def explain(self, first: int, length: int) -> None:
        self.row.explain(first, first + length, "shed")
        self.here |= set(range(first, first + length + 1))

    @rule(seconds=st.integers(1, 100))
    def wait(self, seconds: int) -> None:
        self.now_ns += seconds * S
        for gap in self.row.look(self.now_ns):
            numbers = set(range(gap.first, gap.last + 1))
            if gap.state == "missing":
                assert not numbers & (self.open | self.here)
                self.open |= numbers
            else:
                assert numbers <= self.open & self.here
                self.open -= numbers

    @rule()
    def wait_long(self) -> None:
        """Twice: what is above the highest that came is given one more time of grace."""
        self.wait(100)
        self.wait(100)
        self.wait(1)
        assert self.open == set(range(1, self.high + 1)) - self.here

    @invariant()
    def nothing_that_is_here_is_missing(self) -> None:
        missing = {n for first, last in self.row.missing for n in range(first, last + 1)}
        assert not missing & self.here
        assert missing <= set(range(1, self.high + 1))


TestRow = Row.TestCase
