"""The thread of a link that does not bring its own."""

from __future__ import annotations

import threading
from typing import Protocol


class Stepped(Protocol):
    """A link whose work is done in steps."""

    closed: bool

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None: ...

    def close(self) -> None: ...

    def run_once(self) -> float:
        """How long to wait before the next call."""


class LinkThread:
    """A `Link` made of a stepped one."""

    def __init__(self, link: Stepped, name: str) -> None:
        self._link = link
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        return self._link.publish(topic, body, retain=retain, correlation=correlation)

    def close(self) -> None:
        self._link.close()
        self._closing.set()

    def _run(self) -> None:
        while not self._link.closed:
            wait_s = self._link.run_once()
            if wait_s:
                self._closing.wait(wait_s)
