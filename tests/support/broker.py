"""A real mosquitto on a free loopback port, to be started, frozen and killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import pytest

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Broker:
    """One broker with a private configuration; keeps its port through restarts.

    `options` are further lines of `mosquitto.conf`. Use it in a `with` block: if that fails, the broker's
    log is printed.
    """

    def __init__(self, folder: Path, options: str = "allow_anonymous true", port: int | None = None) -> None:
        if MOSQUITTO is None:
            pytest.skip("mosquitto is not installed: apt install mosquitto")
        self.port = port or free_port()
        self._log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nlog_type all\nuser root\npersistence false\n{options}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_s: float = 10.0) -> None:
        """Returns once the port answers."""
        with self._log.open("ab") as log:
            command = [str(MOSQUITTO), "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + timeout_s
        while not answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.print_log()
                raise AssertionError(f"mosquitto did not start on port {self.port}")
            time.sleep(0.01)

    def stop(self) -> None:
        """An orderly end; also of a frozen broker."""
        if self._process is not None:
            self.sigcont()
            self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """All that it held in memory is gone; a frozen broker does not wake before it dies."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def sigstop(self) -> None:
        """Freeze it: connections stay open and nothing answers. Returns once it stands still."""
        self._running.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._running.pid, os.WSTOPPED)

    def sigcont(self) -> None:
        self._running.send_signal(signal.SIGCONT)

    def print_log(self) -> None:
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        sys.stderr.write(f"--- mosquitto on port {self.port}\n{text[-8000:]}\n")

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            self.print_log()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the broker is not running"
        return self._process

    def _end(self, how: signal.Signals) -> None:
        self._running.send_signal(how)
        self._running.wait(10)
        self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
