"""What the outbox keeps: messages that must arrive, their worth, and who else keeps books on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Protocol

from edgeguard.alerts.messages import Message, encode
from edgeguard.alerts.outbox_file import Database
from edgeguard.types import Severity


class MessageClass(IntEnum):
    """In the order in which room is made: the lowest goes first, the oldest first within one."""

    DELIVERED = 0
    """Kept only to be replayed."""
    HEALTH = 1
    """Records of health, clock steps, days of coverage."""
    TRANSCRIPT = 2
    """Words that raise no alarm."""
    INFO = 3
    WARNING = 4
    ALARM = 5
    """Alarm and critical."""

    @property
    def word(self) -> str:
        return self.name.lower()


WAITING = tuple(one for one in MessageClass if one is not MessageClass.DELIVERED)

_BY_SEVERITY = {
    Severity.INFO: MessageClass.INFO,
    Severity.WARNING: MessageClass.WARNING,
    Severity.ALARM: MessageClass.ALARM,
    Severity.CRITICAL: MessageClass.ALARM,
}


@dataclass(frozen=True)
class Draft:
    """A message made ready for its `seq`."""

    topic: str
    message: Message
    """With `boot_id` and `seq`; an alert also with its `revision`."""
    worth: MessageClass

    @cached_property
    def body(self) -> bytes:
        """The message as it is kept and sent; made once, for whoever needs it."""
        return encode(self.message)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message on its way."""

    seq: int
    boot_id: str
    topic: str
    body: bytes
    attempts: int
    """How often it was sent in this run."""
    late: bool
    """Committed before the outbox was opened, or asked for again."""


class Companion(Protocol):
    """Tables of somebody else in the outbox's file, kept in its transactions."""

    @property
    def schema(self) -> str:
        """SQL that makes the tables; run at every opening, so with IF NOT EXISTS."""

    def enter(self, db: Database, draft: Draft) -> Draft:
        """Keep books on a message that is being committed, and give it as it shall be stored.

        The transaction may be undone and run again, so nothing is remembered but in `db`.
        """

    def left_open(self, db: Database) -> list[Message]:
        """The latest messages of the alerts that go on, as far as was told."""

    def take_over(self, db: Database, lost: Database, /) -> None:
        """`db` is new, and `lost` is what it replaces: keep what can be read of it; never raises for it."""

    def give_way(self, db: Database, /) -> bool:
        """The disk is full: do without something. Whether that was possible."""


def worth_of(alert: Message) -> MessageClass:
    """The class of an alert's message."""
    severity = Severity(alert["severity"])
    if severity is Severity.INFO and alert["text"] is not None:
        return MessageClass.TRANSCRIPT
    return _BY_SEVERITY[severity]


def mark_ns(body: bytes, stage: bytes) -> int | None:
    """The monotonic time of a stage (`committed_ns`) in an alert's body; None if it did not pass, or is none.

    The name with its quotation marks stands nowhere else, as below.
    """
    found = re.search(rb'"%s":(\d+)' % stage, body)
    return int(found[1]) if found else None


def wire_body(entry: Entry, now_ns: int) -> bytes:
    """What goes on the wire: `replayed` and `published_ns` are set in the bytes, not in the object.

    These bytes stand nowhere else: within a JSON string a quotation mark has a backslash before it.
    """
    if entry.late or entry.attempts:
        body = entry.body.replace(b'"replayed":false', b'"replayed":true')
    else:
        body = entry.body
    if entry.late:
        return body
    return body.replace(b'"published_ns":null', b'"published_ns":%d' % now_ns, 1)
