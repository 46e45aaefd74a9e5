"""Whether devices are there: by their status, their will, and their silence."""

from __future__ import annotations

from edgeguard.alerts.messages import Message
from edgeguard.client.times import utc_ns


def supersedes(status: Message, retained: bool, boot_id: str | None, started_ns: int | None) -> bool:
    """Whether `status` is newer than what run `boot_id`, started at `started_ns`, said before.

    A run speaks for itself, and for the device once it is the newest. A will of another, older run comes late
    and means nothing; a live `online` or `stopped` is the device itself, even where its clock starts in the
    past.
    """
    if boot_id is None or started_ns is None or status["boot_id"] == boot_id:
        return True
    if utc_ns(status["started_at"]) > started_ns:
        return True
    return status["state"] != "offline" and not retained
