"""Times as they are told."""

from __future__ import annotations

from datetime import datetime, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def utc_ns(text: str) -> int:
    """Nanoseconds since 1970 of `2026-05-04T03:02:01.000123Z`. Raises ValueError for a date that is none."""
    since = datetime.fromisoformat(text.removesuffix("Z") + "+00:00") - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
