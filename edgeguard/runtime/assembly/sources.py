"""What cameras and microphones need alike."""

from __future__ import annotations

import threading

from edgeguard.config.source import Source
from edgeguard.media import MediaOptions


def media_options(source: Source) -> MediaOptions:
    """How to reach it; its password is read now. Raises ConfigError."""
    username, password = source.credentials() or (None, None)
    return MediaOptions(username, password, source.transport, source.latency_ms)


def is_realtime(source: Source) -> bool:
    return source.pace == "realtime"


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)
