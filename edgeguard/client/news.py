"""What a client tells whoever uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeguard.client.sequence import Gap


@dataclass(frozen=True, slots=True)
class Told:
    """A message of a device: parsed, checked against its schema, and news."""

    name: str
    """`alert`, `status`, `health`, `counts`, `clock`, `coverage`, `config` or `result`: also the name of its
    schema."""
    topic: str
    body: dict[str, Any]
    retained: bool
    """It was told before we listened."""


@dataclass(frozen=True, slots=True)
class ToldUnknown:
    """A durable message on a topic that only a later version knows: it counts, and says what it will."""

    topic: str
    body: dict[str, Any]
    """Unchecked but for `site`, `device`, `boot_id` and `seq`."""
    retained: bool


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """A device came, stopped, vanished or fell silent."""

    site: str
    device: str
    state: str
    """`online`, `stopped`, `offline`, or `unknown`: nothing was heard for three heartbeats."""


@dataclass(frozen=True, slots=True)
class GapChanged:
    """Messages of a device are missing, or are not missing any more."""

    site: str
    device: str
    gap: Gap


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """While there is a reason, nothing is heard, and nothing that was known is sure."""

    reason: str | None


News = Told | ToldUnknown | PresenceChanged | GapChanged | ConnectionChanged
