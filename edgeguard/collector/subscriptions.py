"""What a collector listens to.

Durable messages and answers go to one collector of those that share a database: their subscription is shared,
and its group is named after the database, so that two databases each get everything. Status goes to every
collector: each must know on its own who is there, and a shared subscription brings no retained messages.

Whatever is told on one level below `up` is heard, whether this version knows it or not: durable messages that
a later version adds go there. Live counts, which are many and nothing to keep, stay out.
"""

from __future__ import annotations

_UP = "edgeguard/v1/+/+/up"
_SHARED = ("+", "alert/+/#", "coverage/+/#", "health/+/#", "result/+/#")


def filters(database_id: str) -> list[str]:
    """The subscriptions of a collector on the database of that id."""
    group = f"collectors-{database_id[:12]}"
    return [f"{_UP}/status", *(f"$share/{group}/{_UP}/{rest}" for rest in _SHARED)]
