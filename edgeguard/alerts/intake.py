"""What waits in memory to be committed: in order, in batches, and no more than memory may hold."""

from __future__ import annotations

import heapq
import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from edgeguard.alerts.drafting import ClockStep, Closing, Drafter, Item
from edgeguard.alerts.messages import Message
from edgeguard.alerts.outbox import Outbox
from edgeguard.errors import EdgeGuardError
from edgeguard.types import Alert, AlertState, CoverageDay, Severity

log = logging.getLogger(__name__)

_BATCH = 400
"""Messages in one transaction: so many take less than 20 ms."""
_MOST_LEFT = 10_000
"""Where more than that would be left, one transaction at a time is too few."""
_SEVERITIES = tuple(Severity)


class Intake:
    """Filled while the disk refuses; one that cannot be made into a message is logged and counted as lost."""

    def __init__(
        self, most: int, committed: Callable[[Sequence[Item]], object] = lambda _items: None
    ) -> None:
        """`committed` is told what was brought to the disk just now."""
        self.committed = 0
        self.lost = 0
        """Alerts given up because the disk refused too many, or because of a fault in them."""
        self.records_lost = 0
        """Likewise of what is no alert."""
        self.coverage_day: str | None = None
        """The day of coverage that was brought to the disk last."""
        self.closings_due = True
        """The alerts that an earlier run left open wait for `close_first`, perhaps once more."""
        self.refused = False
        """The disk did not take what it was given last."""
        self._most = most
        self._tell_committed = committed
        self._waiting: deque[Item] = deque()
        self._arrived: list[Alert] = []

    def __len__(self) -> int:
        return len(self._waiting) + len(self._arrived)

    def add(self, alert: Alert) -> None:
        """An alert that arrived now."""
        self._arrived.append(alert)

    def sort_in(self, step: ClockStep | None, utc_ns: int) -> None:
        """Queue what arrived. UTC was stepped meanwhile: what was told on the old clock goes before that."""
        if step is not None:
            step_ns = round(step.step_ms * 1e6)
            old = [alert for alert in self._arrived if _is_nearer(alert, utc_ns - step_ns, utc_ns)]
            self._waiting.extend(old)
            self._waiting.append(step)
            told = {id(alert) for alert in old}
            self._arrived = [alert for alert in self._arrived if id(alert) not in told]
        self._waiting.extend(self._arrived)
        self._arrived.clear()

    def close_first(self, left_open: Iterable[Message]) -> None:
        """Before all else, the last words on what an earlier run left open."""
        self.closings_due = False
        self._waiting.extendleft(reversed([Closing(message) for message in left_open]))

    def record(self, items: Iterable[Item]) -> None:
        """Queue what is no alert."""
        self._waiting.extend(items)

    def commit(self, outbox: Outbox, drafter: Drafter) -> None:
        """Bring one batch to the disk, the oldest, so that it can be sent while others follow.

        Raises StorageError; what was not committed goes on waiting.
        """
        self.refused = True
        self._commit_batch(outbox, drafter)
        while len(self._waiting) > _MOST_LEFT:
            self._commit_batch(outbox, drafter)
        self.refused = False

    def give_up_surplus(self) -> None:
        """Where there is too much for memory, drop the least severe: updates first, then the oldest.

        Closings go before all that: what they close stands in the ledger, so they are due again.
        """
        if len(self._waiting) > self._most:
            self._put_off_closings()
        surplus = len(self._waiting) - self._most
        if surplus <= 0:
            return
        places = heapq.nsmallest(surplus, range(len(self._waiting)), key=lambda at: _worth(self._waiting[at]))
        dropped = frozenset(places)
        for at in dropped:
            self._count_lost(self._waiting[at])
        self._waiting = deque(item for at, item in enumerate(self._waiting) if at not in dropped)

    def _put_off_closings(self) -> None:
        others: deque[Item] = deque(item for item in self._waiting if not isinstance(item, Closing))
        self.closings_due = self.closings_due or len(others) < len(self._waiting)
        self._waiting = others

    def _count_lost(self, item: Item) -> None:
        if isinstance(item, (Alert, Closing)):
            self.lost += 1
        else:
            self.records_lost += 1

    def _commit_batch(self, outbox: Outbox, drafter: Drafter) -> None:
        batch = list(itertools.islice(self._waiting, _BATCH))
        if not batch:
            return
        try:
            outbox.commit(batch, drafter.draft)
        except EdgeGuardError:
            raise
        except Exception:
            self._commit_singly(batch, outbox, drafter)
        else:
            self._note_committed(batch)

    def _commit_singly(self, batch: Sequence[Item], outbox: Outbox, drafter: Drafter) -> None:
        """One of the batch is faulty: the others shall not suffer for it."""
        for item in batch:
            try:
                outbox.commit([item], drafter.draft)
            except EdgeGuardError:
                raise
            except Exception:
                self._waiting.popleft()
                self._count_lost(item)
                log.exception("alerts: one could not be made into a message and is lost")
            else:
                self._note_committed([item])

    def _note_committed(self, items: Sequence[Item]) -> None:
        """The first that wait."""
        self._tell_committed(items)
        for item in items:
            self._waiting.popleft()
            self.committed += 1
            if isinstance(item, CoverageDay):
                self.coverage_day = item.day


def _is_nearer(alert: Alert, old_utc_ns: int, utc_ns: int) -> bool:
    return abs(alert.observed_utc_ns - old_utc_ns) < abs(alert.observed_utc_ns - utc_ns)


def _worth(item: Item) -> tuple[int, bool]:
    """What is no alert goes first; a clock step last, since every time hangs on it."""
    if isinstance(item, Alert):
        return _SEVERITIES.index(item.severity), item.state is not AlertState.UPDATED
    return (len(_SEVERITIES), True) if isinstance(item, ClockStep) else (-1, True)
