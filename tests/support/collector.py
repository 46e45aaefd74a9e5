"""The collector as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from tests.support.broker import free_port
from tests.support.daemon import EDGEGUARD, clean_environment
from tests.support.waiting import wait_for

Json = dict[str, Any]
SUBSCRIBED = "subscribed: what devices tell arrives"


class Collector:
    """`edgeguard collect` in `folder`; leaving the `with` block kills it, and shows the log of a failure."""

    def __init__(self, folder: Path, broker_port: int, name: str = "centre-1", **other: Any) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.port = free_port()
        self.config = self.folder / "collector.yaml"
        self._log = self.folder / "stderr.txt"
        settings = {
            "name": name,
            "state_dir": "state",
            "mqtt": {"host": "127.0.0.1", "port": broker_port},
            "http": {"port": self.port},
            "heartbeat_s": 1,
            "gap_s": 2,
            **other,
        }
        self.config.write_text(yaml.safe_dump(settings, sort_keys=False))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> Collector:
        """Returns once it is subscribed."""
        before = self.log.count(SUBSCRIBED)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*EDGEGUARD, "collect", str(self.config)], stderr=log, env=clean_environment()
            )
        if wait:
            wait_for(lambda: self.log.count(SUBSCRIBED) > before, "the collector's subscription")
        return self

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the collector was not started"
        return self._process

    def stop(self) -> int:
        """Its exit code after SIGTERM."""
        self.process.terminate()
        return self.process.wait(20)

    def kill9(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def run(self, *words: str) -> str:
        """What `edgeguard WORDS` prints."""
        done = subprocess.run(
            [*EDGEGUARD, *words], env=clean_environment(), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def token(self, name: str = "wall", role: str = "read") -> str:
        return self.run("token", str(self.config), name, "--role", role).strip()

    def ask(self, path: str, token: str | None, body: Json | None = None) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def __enter__(self) -> Collector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill9()
        if error is not None:
            sys.stderr.write(f"--- edgeguard collect\n{self.log[-8000:]}\n")
