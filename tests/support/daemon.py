"""The daemon as a process of its own, and somebody who listens to what it tells."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import paho.mqtt.client as paho
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.broker import free_port
from tests.support.waiting import wait_for

EDGEGUARD = (sys.executable, "-m", "edgeguard")
SITE, DEVICE = "depot", "gate-1"
Json = dict[str, Any]


def settings(broker_port: int, cameras: Mapping[str, Json], rules: list[Json], **other: Any) -> Json:
    """A configuration that needs nothing from this machine: no model, no port that is taken."""
    return {
        "site": SITE,
        "device": DEVICE,
        "state_dir": "state",
        "detector": {"model": "motion"},
        "models": {"dir": "models"},
        "cameras": dict(cameras),
        "rules": rules,
        "mqtt": {"host": "127.0.0.1", "port": broker_port},
        "health": {"interval_s": 1, "http_port": free_port()},
        **other,
    }


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would override the configuration."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("EDGEGUARD_")}
    return {**mine, **more}


class Box:
    """`edgeguard run` in `folder`, which also holds its configuration, its state and its standard error.

    Leaving the `with` block kills what still runs; if the block failed, standard error is shown.
    """

    def __init__(self, folder: Path, config: Json, **environment: str) -> None:
        self.folder = folder
        self.state = folder / config["state_dir"]
        self.health_port = config["health"]["http_port"]
        self._environment = clean_environment(**environment)
        self._log = folder / "stderr.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "edgeguard.yaml"
        self._config.write_text(yaml.safe_dump(config, sort_keys=False))

    def configure(self, config: Json) -> None:
        """Write another configuration; nobody is told."""
        self._config.write_text(yaml.safe_dump(config, sort_keys=False))

    def start(self, *options: str, **popen: Any) -> Box:
        command = [*EDGEGUARD, "run", str(self._config), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self._environment, stderr=log, **popen
            )
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the daemon was not started"
        return self._process

    @property
    def stderr(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def wait(self, timeout_s: float = 60.0) -> int:
        """Its exit code, once it ended by itself."""
        return self.process.wait(timeout_s)

    def stop(self, timeout_s: float = 20.0) -> int:
        """Its exit code after SIGTERM."""
        self.process.terminate()
        return self.wait(timeout_s)

    def kill9(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def health(self) -> Json | None:
        """What the loopback port says; None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/health", timeout=5) as answer:
                report: Json = json.load(answer)
        except urllib.error.HTTPError as error:
            report = json.load(error)
        except OSError:
            return None
        return report

    def part(self, name: str) -> Json:
        """One part of the health; empty while there is none."""
        part: Json = ((self.health() or {}).get("parts") or {}).get(name, {})
        return part

    def metrics(self) -> str:
        """What Prometheus would be told."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def wait_for_part(self, name: str, state: str, reason: str = "", timeout_s: float = 30.0) -> Json:
        """The part once it is in `state` for a reason that contains `reason`."""

        def look() -> Json | None:
            part = self.part(name)
            return part if part.get("state") == state and reason in (part.get("reason") or "") else None

        try:
            return wait_for(look, f"{name} {state} {reason}", timeout_s, every_s=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.part(name)}") from None

    def committed(self) -> int:
        """The highest `seq` that the outbox of a daemon that has ended committed, read from a copy of it."""
        with tempfile.TemporaryDirectory() as folder:
            for file in self.state.glob("outbox.db*"):
                shutil.copy(file, folder)
            outbox = sqlite3.connect(Path(folder) / "outbox.db")
            row = outbox.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
            outbox.close()
        return int(row[0]) if row else 0

    def __enter__(self) -> Box:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill9()
        if error is not None:
            sys.stderr.write(f"--- edgeguard\n{self.stderr[-12_000:]}\n")


class Listener:
    """Takes down every message under `edgeguard/` in the order of its coming, doubles included.

    It subscribes anew when the broker comes back, and is ready when the constructor returns. At QoS 0 it has
    nothing to answer, so that it reads to its end what a broker wrote before it died.
    """

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, Json]] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("edgeguard/#", qos=0)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_disconnect = lambda *_: self._subscribed.clear()
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, json.loads(message.payload))
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.wait_until_subscribed()

    def wait_until_subscribed(self) -> None:
        assert self._subscribed.wait(20), "the broker did not take the subscription"

    def messages(self, name: str) -> list[Json]:
        """All of `alert`, `status` or `health`."""
        return [body for topic, body in list(self.heard) if f"/up/{name}" in topic]

    @property
    def alerts(self) -> list[Json]:
        return self.messages("alert")

    def wait_for_alerts(
        self, count: int = 1, wanted: Callable[[Json], bool] = lambda _: True, timeout_s: float = 30.0
    ) -> list[Json]:
        """The alerts that are `wanted`, once there are `count`."""
        found: list[Json] = []

        def look() -> bool:
            found[:] = filter(wanted, self.alerts)
            return len(found) >= count

        wait_for(look, f"{count} alerts", timeout_s)
        return found

    def wait_for_message(self, topic: str, timeout_s: float = 30.0) -> Json:
        """The first message on `topic`."""
        found = wait_for(lambda: [body for t, body in list(self.heard) if t == topic], topic, timeout_s)
        return found[0]

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
