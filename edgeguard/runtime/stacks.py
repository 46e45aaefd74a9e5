"""Where every thread is, for the log: when one is stuck, and before a watchdog ends the process."""

from __future__ import annotations

import faulthandler
import sys
import threading
import traceback
from collections.abc import Collection

_SHARE = 0.95
"""Of the watchdog's time: late, as looking at threads that still run can crash the process."""


def stacks(first: Collection[str] = ()) -> str:
    """The stack of each thread under its name, the innermost call last; those named `first` come first."""
    frames = sys._current_frames()
    threads = sorted(threading.enumerate(), key=lambda one: (one.name not in first, one.name))
    shown = [
        f"{_title(one, first)}\n{''.join(traceback.format_stack(frames[one.ident]))}"
        for one in threads
        if one.ident in frames
    ]
    return "\n".join(shown)


def _title(thread: threading.Thread, stuck: Collection[str]) -> str:
    return f"{'STUCK ' if thread.name in stuck else ''}thread {thread.name} (0x{thread.ident or 0:016x}):"


class LastWords:
    """Writes all stacks to standard error shortly before a watchdog that is not fed ends the process.

    That is done by a thread which needs no Python, so that it also works where the main thread hangs or a
    library does not give the interpreter back; it knows threads by number only. Without a watchdog it does
    nothing. There is one of it in a process.
    """

    def __init__(self, watchdog_s: float | None) -> None:
        self._after_s = None if watchdog_s is None else _SHARE * watchdog_s

    def put_off(self) -> None:
        """The watchdog was fed."""
        if self._after_s is not None:
            faulthandler.dump_traceback_later(self._after_s, file=sys.stderr)

    def call_off(self) -> None:
        """They have been said, or are not needed."""
        if self._after_s is not None:
            faulthandler.cancel_dump_traceback_later()
