"""Receipts from collectors: who says that what is safe."""

from __future__ import annotations

from collections import deque

from edgeguard.alerts.link import Received
from edgeguard.alerts.messages import Identity
from edgeguard.alerts.parse import parse
from edgeguard.alerts.rate import TokenBucket
from edgeguard.clock import Clock

_BYTES_PER_S, _BYTES_AT_ONCE = 500_000, 4_000_000
"""Room for 20,000 messages a second, whose numbers are sent by a dozen collectors."""
_OVERHEAD = 250
"""What it costs to read a receipt, however short, in bytes of a long one."""
_MOST_PER_STEP, _LONGEST_STEP_NS = 2000, 20_000_000
"""Names that are read at once, and how long that may take, give or take a receipt: alerts must not wait."""


class ReceiptReader:
    """Reads what comes in on a device's receipt topic; what is no receipt for it is counted and ignored.

    So is what comes in such masses that alerts would have to wait for it: a receipt that was not read costs
    no more than one that was lost, the message is sent again.
    """

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self.rejected = 0
        self.last_rejection: str | None = None
        self._address = (identity.site, identity.device)
        self._clock = clock
        self._budget = TokenBucket(clock, _BYTES_PER_S, _BYTES_AT_ONCE)
        self._unread: deque[Received] = deque()
        self._named: deque[tuple[str, int]] = deque()

    @property
    def waiting(self) -> bool:
        """Whether there is something to read."""
        return bool(self._unread or self._named)

    def receive(self, received: Received) -> None:
        """Let it wait to be read; never raises."""
        if self._budget.take(len(received.body) + _OVERHEAD):
            self._unread.append(received)
        else:
            self._reject("too many receipts")

    def read(self) -> list[tuple[str, int]]:
        """The next (boot_id, seq) that are safe, as many as one step has time for."""
        until_ns = self._clock.monotonic_ns() + _LONGEST_STEP_NS
        while self._unread and len(self._named) < _MOST_PER_STEP:
            self._read_next()
            if self._clock.monotonic_ns() > until_ns:
                break
        return [self._named.popleft() for _ in range(min(_MOST_PER_STEP, len(self._named)))]

    def _read_next(self) -> None:
        try:
            self._named.extend(self._names(self._unread.popleft()))
        except ValueError as error:
            self._reject(str(error))

    def _names(self, received: Received) -> list[tuple[str, int]]:
        if received.retained:
            raise ValueError("a retained receipt")
        receipt = parse(received.body, "receipt")
        if (receipt["site"], receipt["device"]) != self._address:
            raise ValueError("a receipt for another device")
        return [(run["boot_id"], int(seq)) for run in receipt["committed"] for seq in run["seqs"]]

    def _reject(self, why: str) -> None:
        self.rejected += 1
        self.last_rejection = why[:200]
