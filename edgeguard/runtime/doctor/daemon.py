"""The guard that may be running meanwhile: whether it does, and what it says of its parts."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_ASK_S = 3.0


def is_running(state_dir: Path) -> bool:
    """Whether a guard holds the state folder now; nothing is made or taken."""
    try:
        lock = os.open(state_dir / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def parts_of(http_port: int) -> Mapping[str, Mapping[str, Any]]:
    """The parts of its health, by name; empty where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=_ASK_S)
    with suppress(OSError, ValueError, KeyError, http.client.HTTPException):
        connection.request("GET", "/health")
        report = json.loads(connection.getresponse().read())
        parts: Mapping[str, Mapping[str, Any]] = report["parts"]
        return parts
    connection.close()
    return {}
