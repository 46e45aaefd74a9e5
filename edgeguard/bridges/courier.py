"""What a bridge says, on its way to the broker: in order, a bounded number at a time, again after a break."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from edgeguard.alerts.link import Acked, Link
from edgeguard.bridges.bridge import Publication

_REFUSED = 128


class Courier:
    """Owned by one thread. What is not acknowledged when a connection ends is sent anew on the next one."""

    def __init__(self, link: Link, window: int = 100, most_waiting: int = 10_000) -> None:
        self.sent = 0
        self.dropped = 0
        """Publications given up, oldest first, because too many waited."""
        self.refused = 0
        self.last_refusal: str | None = None
        self._link = link
        self._window = window
        self._most_waiting = most_waiting
        self._waiting: deque[Publication] = deque()
        self._on_the_way: dict[int, Publication] = {}

    @property
    def busy(self) -> bool:
        """Whether something is not acknowledged yet."""
        return bool(self._waiting or self._on_the_way)

    def take(self, publications: Iterable[Publication]) -> None:
        self._waiting.extend(publications)
        while len(self._waiting) > self._most_waiting:
            self._waiting.popleft()
            self.dropped += 1

    def send(self) -> None:
        """Fill the window."""
        while self._waiting and len(self._on_the_way) < self._window:
            one = self._waiting[0]
            mid = self._link.publish(one.topic, one.payload.encode(), retain=one.retain)
            if mid is None:
                return
            self._on_the_way[mid] = self._waiting.popleft()
            self.sent += 1

    def acknowledge(self, event: Acked) -> None:
        """A refusal is final: who may not speak there will not be allowed to a moment later."""
        one = self._on_the_way.pop(event.mid, None)
        if one is not None and event.reason_code >= _REFUSED:
            self.refused += 1
            self.last_refusal = f"the broker refused {one.topic}: {event.reason}"

    def lose_connection(self) -> None:
        self._waiting.extendleft(reversed(self._on_the_way.values()))
        self._on_the_way.clear()
