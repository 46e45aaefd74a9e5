"""What is said to the device, receipts apart: who takes it, and what becomes of a fault there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from edgeguard.alerts.configured import ConfigReport
from edgeguard.alerts.link import Received
from edgeguard.alerts.outbox import Outbox
from edgeguard.clock import Clock
from edgeguard.errors import StorageError

log = logging.getLogger(__name__)

Say = Callable[[str, bytes, bytes | None], None]
"""Publish topic, body and correlation data: at QoS 1, not kept anywhere."""
_SHOWN_NS = 60_000_000_000


class Gate(Protocol):
    """Called by the publisher's thread alone."""

    def receive(self, received: Received) -> None:
        """Take note of it; neither raises nor touches the disk."""

    def note_config(self, report: ConfigReport) -> None:
        """Take note of what became of a configuration; neither raises nor waits."""

    def work(self, outbox: Outbox, say: Say) -> None:
        """Do what was asked. What StorageError kept from being done is done at the next call."""


class SafeGate:
    """A `Gate` whose faults keep no alert from being sent: they are logged once and shown in `error`."""

    def __init__(self, gate: Gate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self._error: str | None = None
        self._shown_until_ns = 0

    @property
    def error(self) -> str | None:
        """What went wrong within the last minute."""
        return self._error if self._clock.monotonic_ns() < self._shown_until_ns else None

    def receive(self, received: Received) -> None:
        self._gate.receive(received)

    def note_config(self, report: ConfigReport) -> None:
        self._gate.note_config(report)

    def work(self, outbox: Outbox, say: Say) -> None:
        """Raises StorageError alone."""
        try:
            self._gate.work(outbox, say)
        except StorageError:
            raise
        except Exception as fault:
            error = f"requests and escalations are not done: {type(fault).__name__}: {fault}"
            if error != self._error:
                log.exception("alerts: requests and escalations are not done")
            self._error = error
            self._shown_until_ns = self._clock.monotonic_ns() + _SHOWN_NS
