"""When a number that is not here counts as missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edgeguard.client.ranges import Range


@dataclass(frozen=True, slots=True)
class Row:
    """How far one device's row of numbers is accounted for."""

    audited_to: int
    """Every number up to here is in the database, or in a gap that is known."""
    seq_high: int
    """The highest number that the device said it gave out,"""
    told_high_ns: int
    """and when it said so."""
    progress_ns: int
    """When a new durable message of it came last."""


def judged(
    row: Row, seen: Iterable[tuple[int, int]], now_ns: int, grace_ns: int, *, all_seen: bool = True
) -> tuple[int, list[Range]]:
    """How far the row is accounted for now, and the gaps below.

    `seen` are (seq, received_ns) above `row.audited_to` in rising order, `all_seen` unless there are more. A
    hole below a number that came is missing once that number has been here for `grace_ns`. What the device
    gave out beyond is missing once it has told nothing new for as long: before, it works off its backlog.
    """
    due_ns = now_ns - grace_ns
    expected = row.audited_to + 1
    gaps: list[Range] = []
    for seq, received_ns in seen:
        if seq > expected:
            if received_ns > due_ns:
                return expected - 1, gaps
            gaps.append((expected, seq - 1))
        expected = max(expected, seq + 1)
    if all_seen and row.seq_high >= expected and max(row.told_high_ns, row.progress_ns) <= due_ns:
        gaps.append((expected, row.seq_high))
        expected = row.seq_high + 1
    return expected - 1, gaps
