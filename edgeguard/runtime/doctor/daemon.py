"""The guard that may be running meanwhile: whether it does, and what it says of its parts."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeguard.files import is_held

_ASK_S = 3.0
_MOST_BYTES = 4_000_000


def is_running(state_dir: Path) -> bool | None:
    """Whether a guard holds the state folder now; None if this user may not know."""
    try:
        return is_held(state_dir / "lock")
    except PermissionError:
        return None
    except OSError:
        return False


def parts_of(http_port: int) -> Mapping[str, Mapping[str, Any]]:
    """The parts of its health, by name; empty where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=_ASK_S)
    try:
        connection.request("GET", "/health")
        parts = json.loads(connection.getresponse().read(_MOST_BYTES))["parts"]
        return {name: part for name, part in parts.items() if isinstance(part, dict)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, http.client.HTTPException):
        return {}  # somebody else may have the port
    finally:
        connection.close()
