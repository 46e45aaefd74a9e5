"""Whether a device is there: by its status, its will, and its silence."""

from __future__ import annotations

from edgeguard.alerts.messages import Message
from edgeguard.client.times import utc_ns

UNKNOWN = "unknown"
"""It said that it is online, and then nothing for three heartbeats; or nothing at all."""


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


class Presence:
    """One device: fed with its statuses and signs of life, asked how it is."""

    def __init__(self, silence_ns: int) -> None:
        self.boot_id: str | None = None
        """Its newest run."""
        self._silence_ns = silence_ns
        self._started_ns: int | None = None
        self._told: str | None = None
        self._alive_ns = 0

    def status(self, message: Message, retained: bool, now_ns: int) -> bool:
        """Its status came; False if that is an old run's, which means nothing."""
        if not supersedes(message, retained, self.boot_id, self._started_ns):
            return False
        self.boot_id = message["boot_id"]
        self._started_ns = utc_ns(message["started_at"])
        self._told = message["state"]
        self.alive(now_ns)
        return True

    def alive(self, now_ns: int) -> None:
        """It said something; or we just began to listen, and it has time to."""
        self._alive_ns = now_ns

    def state(self, now_ns: int) -> str:
        """`online`, `stopped`, `offline` or `unknown`."""
        if self._told == "online" and now_ns - self._alive_ns > self._silence_ns:
            return UNKNOWN
        return self._told or UNKNOWN
