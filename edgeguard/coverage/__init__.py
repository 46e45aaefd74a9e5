"""Blind time: when nobody watched, and why; kept across restarts.

Belongs here: the records on disk, the intervals that follow from them, their sums by day.
Does not belong here: who notices that a source is silent (runtime); alerts about it.
May import: types, files, clock, errors.
Called by: runtime, cli.
To add one, copy: a cause is a word in `causes.py` and a line in docs/capture.md.
"""

from edgeguard.coverage.book import Book, Change
from edgeguard.coverage.causes import CAUSES
from edgeguard.coverage.days import blind_s, day_of
from edgeguard.coverage.ledger import Ledger, read
from edgeguard.coverage.placing import Interval
from edgeguard.coverage.records import Record, What
from edgeguard.coverage.report import coverage_day

__all__ = [
    "CAUSES",
    "Book",
    "Change",
    "Interval",
    "Ledger",
    "Record",
    "What",
    "blind_s",
    "coverage_day",
    "day_of",
    "read",
]
