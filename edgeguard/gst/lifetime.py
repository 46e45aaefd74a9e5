"""When GStreamer frees a memory: the last moment at which others may let go of what lies in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from edgeguard.gst.binding import Notify, c

_waiting: dict[int, Callable[[], None]] = {}
_numbers = itertools.count(1)


def when_freed(memory: int, call: Callable[[], None]) -> int:
    """Call once when the GstMemory is about to be freed, on whatever thread frees it; it must not raise.

    The number is for `forget`. A memory that goes back to its pool is not freed.
    """
    number = next(_numbers)
    _waiting[number] = call
    c().gst_mini_object_weak_ref(memory, _freed, number)
    return number


def forget(number: int) -> None:
    """Do not call for this number any more.

    GStreamer keeps its note: taking it back could meet the very moment at which it is read.
    """
    _waiting.pop(number, None)


def _told(number: int, _memory: int) -> None:
    call = _waiting.pop(number, None)
    if call is not None:
        call()


_freed = Notify(_told)
