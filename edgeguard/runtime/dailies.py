"""Each day's coverage, told once the day is over, whatever happens in between."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta, tzinfo
from pathlib import Path

from edgeguard.coverage import Book, coverage_day, day_of
from edgeguard.files import text_of, write_whole
from edgeguard.types import CoverageDay

log = logging.getLogger(__name__)

_LATE_NS = 60_000_000_000
"""A source that was silent when the day ended may be noticed a little later."""
_AGAIN_NS = 3_600_000_000_000
"""What was not brought to the disk by then is handed over once more."""
_MOST_DAYS = 31
_STEP_NS, _SETTLED_NS = 1_000_000_000, 600_000_000_000
"""After UTC was stepped by more, days are looked at once it has stayed so for a while: it may be set back."""

Tell = Callable[[CoverageDay], bool]
"""Hand a day to the publisher; False: there is no room."""
Committed = Callable[[], str | None]
"""The day that the publisher brought to the disk last."""


class Dailies:
    """`marker` holds the newest day that the publisher has on the disk; a day after it is due.

    A day is handed over until it is committed, the oldest first, one at a time: nothing is lost by a crash,
    and at worst one comes twice. A site without a marker begins with yesterday. Owned by one thread.
    """

    def __init__(self, marker: Path, zone: tzinfo, tell: Tell, committed: Committed) -> None:
        self._marker = marker
        self._zone = zone
        self._tell = tell
        self._committed = committed
        self._done: date | None = None
        """Up to here every day was looked at."""
        self._waiting: deque[CoverageDay] = deque(maxlen=_MOST_DAYS)
        self._handed_ns: int | None = None
        self._offset_ns: int | None = None
        self._settled_ns = 0
        self._behind_ns: int | None = None
        """Since when (monotonic) yesterday lies before what was told."""
        self._refused = False
        self.has_looked = False
        """Whether the days before this run were looked at, so that the book may let go of them."""

    def open(self) -> None:
        """Read the marker."""
        with suppress(ValueError):
            self._done = date.fromisoformat(text_of(self._marker))

    def tick(self, book: Book, now_ns: int, utc_ns: int) -> None:
        """Look at the days that are over by now, and hand over what waits."""
        self._note_step(now_ns, utc_ns)
        yesterday = day_of(utc_ns - _LATE_NS, self._zone) - timedelta(days=1)
        behind = self._is_behind(yesterday, now_ns)
        if now_ns >= self._settled_ns and not behind:
            self._look(book, yesterday)
        if self._waiting:
            self._hand_over(now_ns)

    def _note_step(self, now_ns: int, utc_ns: int) -> None:
        before_ns, self._offset_ns = self._offset_ns, utc_ns - now_ns
        if before_ns is not None and abs(self._offset_ns - before_ns) > _STEP_NS:
            self._settled_ns = now_ns + _SETTLED_NS

    def _is_behind(self, yesterday: date, now_ns: int) -> bool:
        """Whether the clock seems not to be set yet, as after a start without a battery: that yesterday lies
        before what was told is believed after a while only, or each start would tell old days again."""
        if self._done is None or self._done <= yesterday:
            self._behind_ns = None
            return False
        self._behind_ns = now_ns if self._behind_ns is None else self._behind_ns
        return now_ns - self._behind_ns < _SETTLED_NS

    def _look(self, book: Book, yesterday: date) -> None:
        if self._done == yesterday:
            self.has_looked = True
            return
        before = yesterday - timedelta(days=1)
        if self._done is None or self._done > yesterday:  # the clock was set back over the end of a day
            self._done = before
        intervals = book.intervals()
        first = max(self._done, yesterday - timedelta(days=_MOST_DAYS))
        for count in range((yesterday - first).days):
            day = coverage_day(book, intervals, first + timedelta(days=count + 1), self._zone)
            if day is not None:
                self._waiting.append(day)
        self._done = yesterday
        self.has_looked = True

    def _hand_over(self, now_ns: int) -> None:
        if self._handed_ns is not None and self._committed() == self._waiting[0].day:
            self._note(self._waiting.popleft().day)
            self._handed_ns = None
        is_due = self._handed_ns is None or now_ns - self._handed_ns >= _AGAIN_NS
        if self._waiting and is_due and self._tell(self._waiting[0]):
            self._handed_ns = now_ns

    def _note(self, day: str) -> None:
        """Where the disk refuses the marker, the day may be told again by the next run."""
        try:
            write_whole(self._marker, f"{day}\n".encode())
        except OSError as error:
            if not self._refused:
                log.warning("coverage: %s cannot be written: %s", self._marker, error.strerror)
            self._refused = True
        else:
            self._refused = False
