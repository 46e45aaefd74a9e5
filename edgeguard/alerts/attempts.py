"""When and how often something was sent in this run; in memory, for what was sent at all."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass

_MOST_STALE = 1000


@dataclass(slots=True)
class _Attempt:
    topic: str
    count: int
    next_try_ns: int


class Attempts:
    """By `seq`. The heap may hold times that no longer hold; they are passed over."""

    def __init__(self) -> None:
        self._of: dict[int, _Attempt] = {}
        self._heap: list[tuple[int, int]] = []

    def count(self, seq: int) -> int:
        attempt = self._of.get(seq)
        return 0 if attempt is None else attempt.count

    def sent(self, seq: int, topic: str, next_try_ns: int) -> None:
        attempt = self._of.setdefault(seq, _Attempt(topic, 0, 0))
        attempt.count += 1
        self._again(seq, attempt, next_try_ns)

    def postpone(self, seq: int, next_try_ns: int) -> None:
        attempt = self._of.get(seq)
        if attempt is not None:
            self._again(seq, attempt, next_try_ns)

    def hurry(self, topic: str | None, but: Collection[int]) -> None:
        for seq, attempt in self._of.items():
            if topic in (None, attempt.topic) and seq not in but:
                attempt.next_try_ns = 0
        self._tidy()

    def forget(self, seq: int) -> None:
        self._of.pop(seq, None)

    def due(self, now_ns: int, limit: int) -> list[int]:
        """What to send again: the longest overdue first. Nothing changes: it stays due."""
        found: dict[int, int] = {}
        while self._heap and len(found) < limit and self._heap[0][0] <= now_ns:
            next_try_ns, seq = heapq.heappop(self._heap)
            attempt = self._of.get(seq)
            if attempt is not None and attempt.next_try_ns == next_try_ns:
                found[seq] = next_try_ns
        for seq, next_try_ns in found.items():
            heapq.heappush(self._heap, (next_try_ns, seq))
        return list(found)

    def _again(self, seq: int, attempt: _Attempt, next_try_ns: int) -> None:
        attempt.next_try_ns = next_try_ns
        heapq.heappush(self._heap, (next_try_ns, seq))
        if len(self._heap) > 2 * len(self._of) + _MOST_STALE:
            self._tidy()

    def _tidy(self) -> None:
        """One time for each."""
        self._heap = [(attempt.next_try_ns, seq) for seq, attempt in self._of.items()]
        heapq.heapify(self._heap)
