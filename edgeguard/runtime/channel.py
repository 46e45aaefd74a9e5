"""The one way by which values cross threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class WhenFull(str, Enum):
    """What gives way when a channel is full; every loss is counted."""

    DROP_OLDEST = "drop_oldest"
    REFUSE = "refuse"
    """The new value is not taken."""
    WAIT = "wait"
    """The sender waits until there is room; after its time-out it still has the value, so that is no drop."""


class Channel(Generic[T]):
    """A bounded queue from many threads to one; thread-safe.

    With `key`, a new value replaces a waiting one of the same key (newest wins), which counts as a drop
    of that key; without it every value has its own place.
    """

    def __init__(
        self,
        capacity: int,
        when_full: WhenFull = WhenFull.DROP_OLDEST,
        key: Callable[[T], Hashable] | None = None,
        coming: Callable[[T], object] = lambda _: None,
    ) -> None:
        """`coming` is told of each value before it can be taken, by the thread that brings it."""
        if capacity < 1:
            raise ValueError(f"capacity is {capacity}, expected at least 1")
        self._capacity = capacity
        self._when_full = when_full
        self._key = key
        self._coming = coming
        self._items: OrderedDict[Hashable, T] = OrderedDict()
        self._next = 0
        self._closed = False
        self._changed = threading.Condition()
        self._drops: dict[Hashable, int] = {}

    def put(self, value: T, timeout_s: float | None = None) -> bool:
        """Hand over a value; False if it was refused (full, timed out or closed)."""
        self._coming(value)
        with self._changed:
            key = self._key_of(value)
            if self._closed:
                return False
            if key in self._items:
                self._count_drop(key)
                self._items[key] = value
            elif not self._make_room(key, timeout_s):
                return False
            else:
                self._items[key] = value
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float | None = None) -> T | None:
        """The oldest value, or None after `timeout_s` or once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            _, value = self._items.popitem(last=False)
            self._changed.notify_all()
            return value

    def get_batch(self, most: int, enough: int, patience_s: float, timeout_s: float) -> list[T]:
        """The oldest values, `most` at most: once `enough` wait, or `patience_s` after the first was found.

        Empty after `timeout_s` without any, or once closed and empty. Until then a value may be replaced.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if self._items and len(self._items) < enough:
                self._changed.wait_for(lambda: len(self._items) >= enough or self._closed, patience_s)
            values = [self._items.popitem(last=False)[1] for _ in range(min(most, len(self._items)))]
            self._changed.notify_all()
            return values

    def get_all(self, timeout_s: float | None = None) -> list[T]:
        """Everything that waits, oldest first; empty after `timeout_s` or once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            values = list(self._items.values())
            self._items.clear()
            self._changed.notify_all()
            return values

    def resize(self, capacity: int) -> None:
        """Hold so many values from now on; what waits is kept."""
        with self._changed:
            self._capacity = capacity
            self._changed.notify_all()

    def discard(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out, and return, what waits and is unwanted."""
        with self._changed:
            found = {key: value for key, value in self._items.items() if unwanted(value)}
            for key in found:
                del self._items[key]
            self._changed.notify_all()
            return list(found.values())

    def close(self) -> None:
        """Refuse new values and wake everybody; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drops(self) -> dict[Hashable, int]:
        """Values lost so far, by key (None without `key`)."""
        with self._changed:
            return dict(self._drops)

    @property
    def closed(self) -> bool:
        return self._closed

    def __len__(self) -> int:
        return len(self._items)

    def _key_of(self, value: T) -> Hashable:
        if self._key is not None:
            return self._key(value)
        self._next += 1
        return self._next

    def _make_room(self, key: Hashable, timeout_s: float | None) -> bool:
        if len(self._items) < self._capacity:
            return True
        if self._when_full is WhenFull.WAIT:
            self._changed.wait_for(lambda: len(self._items) < self._capacity or self._closed, timeout_s)
            return not self._closed and len(self._items) < self._capacity
        self._count_drop(key if self._when_full is WhenFull.REFUSE else next(iter(self._items)))
        if self._when_full is WhenFull.REFUSE:
            return False
        self._items.popitem(last=False)
        return True

    def _count_drop(self, key: Hashable) -> None:
        name = key if self._key is not None else None
        self._drops[name] = self._drops.get(name, 0) + 1
