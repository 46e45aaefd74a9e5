"""The last minute of one measured value on a fixed grid of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEP_NS = 50_000_000


class Track:
    """`length` steps of 50 ms, the newest last, and no more; what was not measured is NaN."""

    def __init__(self, length: int) -> None:
        self._values = np.full(length, np.nan)
        self._end: int | None = None
        """The step after the newest."""

    @property
    def end(self) -> int | None:
        """The step after the newest that was measured."""
        return self._end

    def put(self, start_ns: int, end_ns: int, value: float) -> None:
        """The value measured between two times; each step whose middle lies there has it.

        A time before everything kept is ignored; one that is far behind the newest begins anew.
        """
        half = STEP_NS // 2
        first, end = (start_ns + half) // STEP_NS, (end_ns + half) // STEP_NS
        length = len(self._values)
        if self._end is not None and (first < self._end - 2 * length or first > self._end + length):
            self._values[:] = np.nan
            self._end = None
        newest = end if self._end is None else max(end, self._end)
        if self._end is not None:
            fresh = np.arange(self._end, newest)
            self._values[fresh[-length:] % length] = np.nan
        self._end = newest
        steps = np.arange(max(first, newest - length), end)
        self._values[steps % length] = value

    def window(self, end: int, length: int) -> NDArray[np.float64]:
        """(length,) values of the steps before `end`."""
        steps = np.arange(end - length, end)
        values: NDArray[np.float64] = self._values[steps % len(self._values)].copy()
        if self._end is None:
            return np.full(length, np.nan)
        values[(steps >= self._end) | (steps < self._end - len(self._values))] = np.nan
        return values
