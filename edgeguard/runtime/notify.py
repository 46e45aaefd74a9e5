"""systemd's notification socket: sd_notify(3) in a dozen lines."""

from __future__ import annotations

import os
import socket


class Notifier:
    """Tells systemd READY, STOPPING and WATCHDOG; silent when systemd did not start us."""

    def __init__(self, address: str | None, watchdog_us: int | None = None) -> None:
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self.watchdog_s = watchdog_us / 1e6 if watchdog_us else None

    @classmethod
    def from_environment(cls) -> Notifier:
        watchdog_us = os.environ.get("WATCHDOG_USEC")
        return cls(os.environ.get("NOTIFY_SOCKET"), int(watchdog_us) if watchdog_us else None)

    def send(self, state: str) -> None:
        """Send lines such as `READY=1`; a lost datagram is not worth a crash."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            try:
                door.sendto(state.encode(), self._address)
            except OSError:
                return
