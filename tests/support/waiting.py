"""Waiting for what another process or thread will do, never longer than a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

ValueT = TypeVar("ValueT")


def wait_for(look: Callable[[], ValueT], what: str, timeout_s: float = 30.0, every_s: float = 0.05) -> ValueT:
    """The first truthy value of `look`; AssertionError naming `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (value := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s:.0f} s; last seen {value!r}")
        time.sleep(every_s)
    return value
