"""What the drill writes down: what the disk refuses is said, and written once it can be."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.runtime.codes import code_of

log = logging.getLogger(__name__)

_AGAIN_NS = 5_000_000_000

Write = Callable[[], object]
"""Raises StorageError."""


class DrillNotes:
    """The newest of each name; owned by the drill's thread."""

    def __init__(self, clock: Clock) -> None:
        self.fault: tuple[str, str] | None = None
        """Why something is not on the disk, and the code for it."""
        self._clock = clock
        self._owed: dict[str, Write] = {}
        self._tried_ns = 0

    def write(self, name: str, write: Write) -> None:
        """Now, or as soon as it can be."""
        self._owed[name] = write
        self._try()

    def again(self) -> None:
        """Try what was refused once more, after a while."""
        if self._owed and self._clock.monotonic_ns() - self._tried_ns >= _AGAIN_NS:
            self._try()

    def _try(self) -> None:
        self._tried_ns = self._clock.monotonic_ns()
        fault = None
        for name, write in list(self._owed.items()):
            try:
                write()
                del self._owed[name]
            except StorageError as error:
                fault = f"the drill's {name} is not on the disk: {error}", code_of(error)
        if fault is not None and self.fault is None:
            log.warning("%s", fault[0])
        self.fault = fault
