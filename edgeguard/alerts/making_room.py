"""Storing on a full disk: what is there already gives way, or the least of what is to be stored does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from edgeguard.alerts.durable import MessageClass
from edgeguard.alerts.outbox_file import Database, OutboxFile
from edgeguard.errors import DiskFullError

ResultT = TypeVar("ResultT")
GiveWay = Callable[[int, MessageClass], bool]
"""Remove up to so many rows of a class, but of none above this one; whether something was removed."""


class Batch:
    """The classes of what is to be stored in one transaction, in its order."""

    def __init__(self) -> None:
        self.worths: list[MessageClass] = []
        self.refused: set[MessageClass] = set()
        """There is no room for these: they are shed instead of being stored."""

    @property
    def lowest(self) -> MessageClass:
        """Of what is still to be stored."""
        return min(self._wanted, default=MessageClass.DELIVERED)

    def refuse_lowest(self) -> bool:
        """Do without the lowest class, if that leaves another; whether it does."""
        if len(self._wanted) < 2:
            return False
        self.refused.add(self.lowest)
        return True

    @property
    def _wanted(self) -> set[MessageClass]:
        return set(self.worths) - self.refused


def with_room(
    file: OutboxFile, step: Callable[[Database], ResultT], batch: Batch, give_way: GiveWay
) -> ResultT:
    """`step` in a transaction; while the disk is full, more and more of what counts least gives way.

    `step` says in `batch.worths` what it stores before it needs room for it, and sheds what is `refused`.
    """
    while True:
        try:
            return file.transaction(step)
        except DiskFullError:
            if not _somehow(give_way, batch.lowest) and not batch.refuse_lowest():
                raise


def _somehow(give_way: GiveWay, highest: MessageClass) -> bool:
    """Even deleting takes room, in the WAL: where there is too little for some rows, fewer have to do."""
    for rows in (32, 8, 1):
        with suppress(DiskFullError):
            return give_way(rows, highest)
    return False
