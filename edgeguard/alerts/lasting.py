"""Paho's client with a thread that outlives any fault: paho's own ends for good and never connects again."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from paho.mqtt.enums import MQTTErrorCode

from edgeguard.alerts.wire import WireClient

log = logging.getLogger(__name__)


class LastingClient(WireClient):
    """A fault, be it in paho or in a callback, costs the connection: a new one is made after a wait."""

    on_fault: Callable[[Exception], object] | None = None
    """Called with what went wrong, before `on_disconnect`; must not raise."""

    def _thread_main(self) -> None:
        """What paho's thread runs until it is told to stop."""
        try:
            while not self._ran_to_its_end():
                self._reconnect_wait()
        finally:
            self._thread = None

    def _ran_to_its_end(self) -> bool:
        try:
            self.loop_forever(retry_first_connection=True)
        except Exception as fault:
            log.exception("mqtt: a fault; the connection is made anew")
            self._lose_connection(fault)
            return False
        return True

    def _lose_connection(self, fault: Exception) -> None:
        if self.on_fault is not None:
            self.on_fault(fault)
        with contextlib.suppress(Exception):  # it may be the callback that is at fault
            self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
