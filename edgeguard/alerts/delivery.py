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
    """`disconnected`, `refused`, `no_subscriber`, `no_receipts` or `delivering`."""
    reason: str | None = "not started"
    """Why it is not delivering."""
    committed: int = 0
    """Messages on disk, since the start."""
    delivered: int = 0
    """Messages in other hands, since the start."""
    pending: int = 0
    """Messages committed and not delivered."""
    oldest_pending_s: float = 0.0
    """How long the oldest of them has waited, at least."""
    uncommitted: int = 0
    """Alerts in memory that wait for the disk."""
    lost: int = 0
    """Alerts given up because the disk refused too many."""
    shed: Mapping[str, int] = field(default_factory=dict)
    """Messages that gave way for want of room, by class, since the start."""
    bad_receipts: int = 0
    """Receipts that were not understood or not for us, since the start."""
    seq_high: int | None = None
    storage_error: str | None = None
    set_aside: str | None = None
    """Where a damaged outbox was put; it may hold alerts that were never delivered."""
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
        seq_high=outbox.seq_high,
        set_aside=str(outbox.set_aside[-1]) if outbox.set_aside else None,
        ballast_used=outbox.ballast_used,
    )


def log_changes(before: Delivery, now: Delivery) -> None:
    if (now.state, now.reason) != (before.state, before.reason):
        level = logging.INFO if now.state == "delivering" else logging.WARNING
        log.log(level, "alerts: %s%s", now.state, f" ({now.reason})" if now.reason else "")
    if now.storage_error not in (None, before.storage_error):
        log.error("alerts: %s", now.storage_error)
    if now.set_aside not in (None, before.set_aside):
        log.error("alerts: the outbox was damaged and set aside as %s", now.set_aside)
