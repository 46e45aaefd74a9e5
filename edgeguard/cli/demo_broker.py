"""A mosquitto of the demo's own, on a free loopback port, that only who knows the password may use."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

from edgeguard.errors import BrokerError, DependencyError

USERNAME = "demo"
_START_S = 10.0


class DemoBroker:
    """Starts with `with`; `port` and `password_file` tell how to reach it."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.password = secrets.token_urlsafe(24)
        self.password_file = folder / "password"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DemoBroker:
        self._write_files()
        with (self._folder / "mosquitto.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                [_program("mosquitto"), "-c", str(self._folder / "mosquitto.conf")],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5)

    def _write_files(self) -> None:
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(self.password)
        users = self._folder / "users"
        subprocess.run(  # noqa: S603
            [_program("mosquitto_passwd"), "-c", "-b", str(users), USERNAME, self.password],
            check=True,
            capture_output=True,
        )
        users.chmod(0o644)  # hashed; mosquitto gives up root before it reads it
        (self._folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {users}\npersistence false\n"
        )

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        log = (self._folder / "mosquitto.log").read_text(errors="replace")
        raise BrokerError(f"mosquitto did not start on port {self.port}: {log[-500:]}")


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        raise DependencyError(f"{name} is not installed: `apt-get install mosquitto`, or run tools/setup")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
