"""The times in an alert, where the clock by which they were told was stepped since."""

from __future__ import annotations

from datetime import datetime, timedelta

from edgeguard.alerts.messages import Message

_TIMES = ("opened_at", "observed_at", "closed_at")


def moved_times(before: Message, message: Message, step_ms: float) -> Message:
    """The times that `message` took over from `before`, by the clock that was stepped by `step_ms` since.

    `opened_at` always is one of them, and was perhaps moved before. Blind time is told anew by each revision,
    unless it is a copy.
    """
    told = {before[name] for name in _TIMES}
    times = {name: message[name] for name in _TIMES if message[name] is not None and message[name] in told}
    times["opened_at"] = before["opened_at"]
    if not step_ms:
        return times
    moved: Message = {name: _moved(time, step_ms) for name, time in times.items()}
    if message.get("blind"):
        moved["blind"] = [
            _shifted(gap, step_ms) if gap in before.get("blind", ()) else gap for gap in message["blind"]
        ]
    return moved


def _shifted(gap: Message, step_ms: float) -> Message:
    return {**gap, **{name: gap[name] and _moved(gap[name], step_ms) for name in ("from", "to")}}


def _moved(time: str, step_ms: float) -> str:
    """A step beyond all calendars moves nothing."""
    try:
        moved = datetime.fromisoformat(time.replace("Z", "+00:00")) + timedelta(milliseconds=step_ms)
    except (OverflowError, ValueError):
        return time
    return f"{moved.isoformat(timespec='microseconds')[:26]}Z"
