"""The processes that the delivery tools run against each other: started, killed, awaited.

Everything lives in one folder and on loopback ports that were free. The kernel ends what a tool leaves
behind, also one that was itself killed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import yaml

ValueT = TypeVar("ValueT")
ProgramT = TypeVar("ProgramT", bound="Program")

EDGEGUARD = (sys.executable, "-m", "edgeguard")
LIMITLESS = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0"
"""No message is dropped because a client is slow; what a broker that is killed forgets, it forgets."""
_SET_DEATH_SIGNAL = 1


class Program:
    """One process of `command`, again and again; what it prints goes to `<name>.log` in its folder."""

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.starts = 0
        self._command = list(command)
        self._folder = folder
        self._environment = {**_clean_environment(), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        self.starts += 1

    @property
    def exit_code(self) -> int | None:
        """None while it runs or was never started."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    def kill9(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s: float = 15.0) -> int:
        """Its exit code after SIGTERM; also of one that is frozen."""
        self.process.terminate()
        self.process.send_signal(signal.SIGCONT)
        return self.process.wait(timeout_s)

    def freeze(self) -> None:
        """Returns once it stands still."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def tail(self, characters: int = 4000) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- {self.name}\n{text[-characters:]}\n"

    def __enter__(self: ProgramT) -> ProgramT:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.kill9()
        if isinstance(error, Exception):
            sys.stderr.write(self.tail())


class Mosquitto(Program):
    """A broker with persistence as it is by default: messages are in memory, and written now and then."""

    def __init__(self, folder: Path, options: str = LIMITLESS) -> None:
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if found is None:
            raise SystemExit("mosquitto is not installed: apt install mosquitto")
        self.port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\npersistence true\nset_tcp_nodelay true\n"
            f"persistence_location {folder}/\n{options}\n"
        )
        super().__init__("mosquitto", [found, "-c", str(config)], folder)

    def start(self) -> None:
        super().start()
        wait_for(lambda: answers(self.port), "mosquitto answers", 10.0, 0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def wait_for(look: Callable[[], ValueT], what: str, timeout_s: float = 30.0, every_s: float = 0.05) -> ValueT:
    """The first truthy value of `look`; RuntimeError naming `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (value := look()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {timeout_s:.0f} s; last seen {value!r}")
        time.sleep(every_s)
    return value


def write_yaml(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False))
    return path


def end_on_sigterm() -> None:
    """SIGTERM ends this program as Ctrl-C does: what it started is ended and its folder removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _clean_environment() -> dict[str, str]:
    """This process's environment without what would override a configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EDGEGUARD_")}


_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
