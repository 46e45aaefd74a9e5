"""The demo's play: a broker, the daemon and a subscriber, each on its own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgeguard.alerts.link import Endpoint
from edgeguard.alerts.topics import up_filter
from edgeguard.cli.demo_broker import USERNAME, DemoBroker
from edgeguard.client import Client, Told, open_client
from edgeguard.clock import SystemClock
from edgeguard.errors import EdgeGuardError

_STOP_S = 10.0


class Show(Protocol):
    """Where the demo shows what happens."""

    def health(self, parts: dict[str, Any]) -> None: ...

    def alert(self, alert: dict[str, Any], latency_ms: float | None) -> None: ...

    def tick(self) -> None: ...


@dataclass(slots=True)
class Tally:
    """What the subscriber received."""

    seqs: set[int] = field(default_factory=set)
    kinds: dict[str, int] = field(default_factory=dict)
    """Opened alerts by kind."""
    latencies_ms: list[float] = field(default_factory=list)
    """From the frame's or sound's arrival in the daemon to here, opened alerts."""
    beyond_inference_ms: list[float] = field(default_factory=list)
    """The same without the time in the model."""
    parts: dict[str, Any] = field(default_factory=dict)
    """The newest health report."""
    committed: int = 0
    """The daemon's own count, from its last word."""
    stopped: bool = False

    @property
    def detector(self) -> str:
        """What looked at the pictures."""
        return str(self.parts.get("detector", {}).get("counters", {}).get("model", "none"))

    @property
    def lost(self) -> int:
        return self.committed - len(self.seqs)


class Play:
    """One showing of a site."""

    def __init__(self, config: dict[str, Any], output: Path, show: Show) -> None:
        self._config = config
        self._output = output
        self._show = show
        self.tally = Tally()

    def run(self, seconds: float) -> Tally:
        """Raises EdgeGuardError if the broker or the daemon does not come up."""
        with tempfile.TemporaryDirectory(prefix="edgeguard-demo-") as name:
            folder = Path(name)
            folder.chmod(0o755)  # the broker is another user
            with DemoBroker(folder) as broker, (self._output / "messages.jsonl").open("w") as messages:
                subscriber = self._subscriber(broker)
                self._watch(subscriber, self._start_daemon(folder, broker), seconds, messages.write)
                subscriber.stop()
        return self.tally

    def _subscriber(self, broker: DemoBroker) -> Client:
        endpoint = Endpoint(
            "127.0.0.1", broker.port, "demo-watcher", USERNAME, broker.password, session_expiry_s=0
        )
        subscriber = open_client(endpoint, up_filter())
        subscriber.start()
        deadline = time.monotonic() + _STOP_S
        while subscriber.disconnected and time.monotonic() < deadline:
            subscriber.receive(0.1)
        if subscriber.disconnected:
            raise EdgeGuardError(f"the demo cannot subscribe: {subscriber.disconnected}")
        return subscriber

    def _start_daemon(self, folder: Path, broker: DemoBroker) -> subprocess.Popen[bytes]:
        config = {
            **self._config,
            "state_dir": str(folder / "state"),
            "mqtt": {
                "host": "127.0.0.1",
                "port": broker.port,
                "username": USERNAME,
                "password_file": str(broker.password_file),
            },
            "evidence": {"dir": str((self._output / "snapshots").absolute())},
            "health": {"interval_s": 1, "http_port": 0},
        }
        path = folder / "demo.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        with (self._output / "daemon.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "edgeguard", "run", str(path)], stdout=log, stderr=log
            )

    def _watch(
        self,
        subscriber: Client,
        daemon: subprocess.Popen[bytes],
        seconds: float,
        write: Callable[[str], object],
    ) -> None:
        try:
            self._receive_for(seconds, subscriber, write, until=lambda: daemon.poll() is not None)
            if daemon.poll() is not None:
                raise EdgeGuardError(f"the daemon ended by itself: see {self._output / 'daemon.log'}")
            daemon.send_signal(signal.SIGTERM)
            self._receive_for(_STOP_S, subscriber, write, until=lambda: self.tally.stopped)
            daemon.wait(_STOP_S)
        finally:
            daemon.kill()

    def _receive_for(
        self,
        seconds: float,
        subscriber: Client,
        write: Callable[[str], object],
        until: Callable[[], bool],
    ) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until():
            for told in (news for news in subscriber.receive(0.2) if isinstance(news, Told)):
                now_ns = SystemClock().monotonic_ns()
                write(json.dumps(told.body, ensure_ascii=False) + "\n")
                self._take(told, now_ns)
            self._show.tick()

    def _take(self, told: Told, now_ns: int) -> None:
        body = told.body
        if told.name == "alert":
            self._take_alert(body, now_ns)
        elif told.name == "health":
            self.tally.parts = body["parts"]
            self._show.health(body["parts"])
        elif told.name == "status" and body["state"] == "stopped":
            self.tally.committed = body["seq_high"] or 0
            self.tally.stopped = True

    def _take_alert(self, alert: dict[str, Any], now_ns: int) -> None:
        self.tally.seqs.add(alert["seq"])
        latency_ms = None
        if alert["state"] == "opened":
            latency_ms = self._measure(alert["stages"], now_ns)
            self.tally.kinds[alert["kind"]] = self.tally.kinds.get(alert["kind"], 0) + 1
        self._show.alert(alert, latency_ms)

    def _measure(self, stages: dict[str, int | None], now_ns: int) -> float | None:
        arrived, start, end = (stages[name] for name in ("arrived_ns", "infer_start_ns", "infer_end_ns"))
        if arrived is None or start is None or end is None:
            return None
        latency_ms = (now_ns - arrived) / 1e6
        self.tally.latencies_ms.append(latency_ms)
        self.tally.beyond_inference_ms.append(latency_ms - (end - start) / 1e6)
        return latency_ms


def fresh_folder(path: Path) -> Path:
    """An empty folder at `path`; what an earlier demo left there goes, and nothing else."""
    mark = path / ".edgeguard-demo"
    if mark.exists():
        shutil.rmtree(path)
    elif path.exists() and any(path.iterdir()):
        raise EdgeGuardError(
            f"{path} holds files that are not the demo's; choose another folder with --output"
        )
    path.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return path
