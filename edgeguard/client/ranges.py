"""Sets of whole numbers that mostly follow each other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last, both of it."""


class Ranges:
    """A set of whole numbers, kept as ranges: sorted, apart from each other."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Put in `first` to `last`; nothing if `last` is below `first`."""
        if last < first:
            return
        begin = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]

    def remove(self, first: int, last: int) -> None:
        """Take out `first` to `last`, as far as they are there."""
        begin = bisect_left(self._lasts, first)
        end = bisect_right(self._firsts, last)
        if last < first or begin >= end:
            return
        left = (self._firsts[begin], first - 1)
        right = (last + 1, self._lasts[end - 1])
        rest = [part for part in (left, right) if part[0] <= part[1]]
        self._firsts[begin:end] = [part[0] for part in rest]
        self._lasts[begin:end] = [part[1] for part in rest]

    def missing(self, first: int, last: int) -> Iterator[Range]:
        """What of `first` to `last` is not there."""
        begin = bisect_left(self._lasts, first)
        for low, high in zip(self._firsts[begin:], self._lasts[begin:], strict=True):
            if low > last:
                break
            if first < low:
                yield first, low - 1
            first = high + 1
        if first <= last:
            yield first, last

    def common(self, first: int, last: int) -> Iterator[Range]:
        """What of `first` to `last` is there."""
        begin = bisect_left(self._lasts, first)
        for low, high in zip(self._firsts[begin:], self._lasts[begin:], strict=True):
            if low > last:
                return
            yield max(first, low), min(last, high)

    @property
    def total(self) -> int:
        """How many numbers."""
        return sum(last - first + 1 for first, last in self)

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._lasts, number)
        return at < len(self._firsts) and self._firsts[at] <= number

    def __iter__(self) -> Iterator[Range]:
        return iter(list(zip(self._firsts, self._lasts, strict=True)))

    def __len__(self) -> int:
        """How many ranges."""
        return len(self._firsts)
