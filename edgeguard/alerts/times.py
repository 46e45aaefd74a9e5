"""The times in an alert, where the clock by which they were told was stepped since."""

from __future__ import annotations

from datetime import datetime, timedelta

from edgeguard.alerts.messages import Message

_TIMES = ("opened_at", "observed_at", "closed_at")


def moved_times(before: Message, message: Message, step_ms: float) -> Message:
    """The times that `message` took over from `before`, by the clock that was stepped by `step_ms` since.

    `opened_at` always is one of them, and was perhaps moved before.
    """
    told = {before[name] for name in _TIMES}
    times = {name: message[name] for name in _TIMES if message[name] is not None and message[name] in told}
    times["opened_at"] = before["opened_at"]
    return {name: _moved(time, step_ms) for name, time in times.items()} if step_ms else times


def _moved(time: str, step_ms: float) -> str:
    """A step beyond all calendars moves nothing."""
    try:
        moved = datetime.fromisoformat(time.replace("Z", "+00:00")) + timedelta(milliseconds=step_ms)
    except (OverflowError, ValueError):
        return time
    return f"{moved.isoformat(timespec='microseconds')[:26]}Z"
