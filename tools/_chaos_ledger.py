"""The guard's own book of blind time, read without the product's arithmetic, in monotonic time."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from edgeguard.coverage import Record, What, read


@dataclass(slots=True)
class Span:
    """A source was not watched."""

    from_ns: int
    to_ns: float = math.inf
    cause: str = ""

    def holds(self, at_ns: int) -> bool:
        return self.from_ns <= at_ns <= self.to_ns

    def touches(self, from_ns: int, to_ns: int) -> bool:
        return self.from_ns <= to_ns and from_ns <= self.to_ns


def blind_spans(folder: Path) -> dict[str, list[Span]]:
    """By source, all of one boot of the machine."""
    spans: dict[str, list[Span]] = defaultdict(list)
    run, last_ns = "", 0
    for record in read(folder):
        if record.what is What.BEGIN:
            if record.run != run:
                for name in record.sources:
                    _lose(spans[name], last_ns or record.mono_ns, "restarted")
            run = record.run
            _begin(spans, record)
        elif record.what is What.LOST:
            _lose(spans[record.source], record.at_ns, record.cause)
        elif record.what is What.BACK:
            _mend(spans[record.source], record.at_ns)
        last_ns = record.mono_ns
    return spans


def _begin(spans: dict[str, list[Span]], record: Record) -> None:
    """A file that begins says how each source stands."""
    for name in record.sources:
        if name in record.lost:
            cause, at_ns = record.lost[name]
            _lose(spans[name], at_ns, cause)
        else:
            _mend(spans[name], record.mono_ns)


def _lose(spans: list[Span], at_ns: int, cause: str) -> None:
    if not spans or spans[-1].to_ns < math.inf:
        spans.append(Span(at_ns, cause=cause))


def _mend(spans: list[Span], at_ns: int) -> None:
    if spans and spans[-1].to_ns == math.inf:
        spans[-1].to_ns = at_ns
