"""What every bridge is asked, and the words that all of them share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgeguard.alerts.link import Will
from edgeguard.client.times import utc_ns
from edgeguard.errors import ConfigError

Message = dict[str, Any]

SILENT_S = 180.0
"""A device whose health is not heard for so long counts as gone."""

_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}")
_LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class Publication:
    """A message for others."""

    topic: str
    payload: str
    retain: bool = False


class Bridge(Protocol):
    """Says elsewhere what devices tell; owned by one thread, never blocks, does no I/O.

    Each method returns what is to be published, in this order.
    """

    will: Will | None

    @property
    def subscriptions(self) -> Sequence[str]:
        """Topics beyond those of the devices."""

    @property
    def notes(self) -> Mapping[str, int]:
        """What was counted that somebody may want to know."""

    def take(self, name: str, body: Message, live: bool) -> list[Publication]:
        """A message of a device that fits the schema `name`; `live` unless it was retained.

        Raises ValueError for one that cannot be understood all the same.
        """

    def hear(self, topic: str, payload: bytes, retained: bool) -> list[Publication]:
        """A message on one of `subscriptions`."""

    def greet(self) -> list[Publication]:
        """The connection was made: say everything anew."""

    def tick(self) -> list[Publication]:
        """Time has passed; called about every second."""

    def farewell(self) -> list[Publication]:
        """The last words before a stop on purpose."""


def check_prefix(prefix: str) -> str:
    """The prefix, if it can begin a topic and is not EdgeGuard's own. Raises ConfigError."""
    if not _PREFIX.fullmatch(prefix) or prefix.split("/")[0] == "edgeguard":
        raise ConfigError(
            f"the prefix is {prefix!r}; use letters, digits, '-' and '_', levels parted by '/', "
            "and not 'edgeguard', under which the devices speak"
        )
    return prefix


def topic_word(word: str) -> str:
    """`word` as a level of a topic: what a broker would refuse, or read as a wildcard, becomes `-`."""
    kept = "".join(letter if letter.isprintable() and letter not in "/+#" else "-" for letter in word)
    return kept[:_LONGEST_WORD] or "-"


def unix(time: str) -> float:
    """Seconds since 1970, as Frigate writes times. Raises ValueError."""
    return utc_ns(time) // 1000 / 1e6


def as_json(message: Message) -> str:
    """Compact JSON."""
    return json.dumps(message, allow_nan=False, separators=(",", ":"))
