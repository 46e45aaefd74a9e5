"""How telling goes, for health and the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edgeguard.alerts.outbox import Outbox

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How telling goes."""

    state: str = "disconnected"
    """`disconnected`, `refused`, `no_subscriber`, `no_receipts`, `no_pubacks` or `delivering`."""
    reason: str | None = "not started"
    """Why it is not delivering."""
    committed: int = 0
    """Messages on disk, since the start."""
    delivered: int = 0
    """Messages in other hands, since the start."""
    acknowledged: int = 0
    """PUBACKs of all kinds of messages, since the start."""
    pending: int = 0
    """Messages committed and not delivered."""
    oldest_pending_s: float = 0.0
    """How long the oldest of them has waited, at least."""
    uncommitted: int = 0
    """Alerts in memory that wait for the disk."""
    lost: int = 0
    """Alerts given up because the disk refused too many."""
    records_lost: int = 0
    """Likewise of health, of steps of the clock and of days of coverage."""
    shed: Mapping[str, int] = field(default_factory=dict)
    """Messages that gave way for want of room, by class, since the start."""
    bad_receipts: int = 0
    """Receipts that were not understood or not for us, since the start."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Messages that are pending, by class."""
    seq_high: int | None = None
    coverage_day: str | None = None
    """The day of coverage that was brought to the disk last, in this run."""
    gate_error: str | None = None
    """Why nothing that was asked for is done, and no escalation."""
    storage_error: str | None = None
    replaced: str | None = None
    """Why the outbox had to be replaced by a new one, in this run."""
    ballast_used: bool = False
    """The disk was full and the outbox lives on its reserve."""

    @property
    def connected(self) -> bool:
        return self.state != "disconnected"


def with_outbox(delivery: Delivery, outbox: Outbox) -> Delivery:
    return replace(
        delivery,
        pending=outbox.pending,
        shed={worth.word: count for worth, count in outbox.shed.items()},
        waiting={worth.word: count for worth, count in outbox.pending_by_class.items() if count},
        seq_high=outbox.seq_high,
        replaced=outbox.replaced[-1] if outbox.replaced else None,
        ballast_used=outbox.ballast_used,
    )


def log_changes(before: Delivery, now: Delivery) -> None:
    if (now.state, now.reason) != (before.state, before.reason):
        level = logging.INFO if now.state == "delivering" else logging.WARNING
        log.log(level, "alerts: %s%s", now.state, f" ({now.reason})" if now.reason else "")
    if now.storage_error not in (None, before.storage_error):
        log.error("alerts: %s", now.storage_error)
    if now.replaced not in (None, before.replaced):
        log.error("alerts: %s", now.replaced)
