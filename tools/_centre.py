"""A device and a collector as processes, for a broker on loopback, and what they know afterwards."""

from __future__ import annotations

import json
import sqlite3
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from _programs import EDGEGUARD, Program, free_port, wait_for, write_yaml

SITE, DEVICE = "torture", "guard-1"
Json = dict[str, Any]
_DEVICE = Path(__file__).with_name("_device.py")
_SUBSCRIBED = "what devices tell arrives"


class DeviceProgram(Program):
    """`_device.py` in `folder`, with `mqtt` in its configuration beside what is needed here."""

    def __init__(
        self,
        folder: Path,
        broker_port: int,
        *,
        alerts: int,
        rate: float,
        seed: int,
        mqtt: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._health_port = free_port()
        path = device_config(folder, broker_port, self._health_port, mqtt)
        figures = ["--alerts", str(alerts), "--rate", str(rate), "--seed", str(seed)]
        super().__init__("device", [sys.executable, str(_DEVICE), str(path), *figures], folder, environment)

    def finish(self) -> None:
        """It ends once all is told."""
        (self.folder / "finish").touch()

    def lines(self, journal: str) -> list[str]:
        """Of `intents` or `committed`; without a last one that is not whole."""
        path = self.folder / journal
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def health_of(self, part: str) -> Json:
        """One part of its health, with its counters; empty while it does not answer."""
        try:
            url = f"http://127.0.0.1:{self._health_port}/health"
            with urllib.request.urlopen(url, timeout=5) as answer:
                report = json.load(answer)
        except urllib.error.HTTPError as error:
            report = json.load(error)
        except OSError:
            return {}
        found: Json = report["parts"].get(part, {})
        return found

    def seq_high(self) -> int:
        """The highest number that the outbox of a device that has ended gave out."""
        outbox = self.folder / "state" / "outbox.db"
        return max((seq for (seq,) in _rows(outbox, "SELECT seq FROM sqlite_sequence")), default=0)


class CollectorProgram(Program):
    """`edgeguard collect` with its SQLite database in `folder`."""

    def __init__(
        self, folder: Path, broker_port: int, name: str = "centre", more: Mapping[str, Any] | None = None
    ) -> None:
        self._database = folder / name / "collector.db"
        content = {
            "name": name,
            "state_dir": str(folder / name),
            "mqtt": {"host": "127.0.0.1", "port": broker_port},
            "http": {"port": free_port()},
            "heartbeat_s": 1,
            "gap_s": 2,
            **(more or {}),
        }
        config = write_yaml(folder / f"{name}.yaml", content)
        super().__init__(name, [*EDGEGUARD, "collect", str(config)], folder)

    def wait_until_ready(self) -> None:
        """What devices tell arrives. Raises RuntimeError."""
        wait_for(lambda: _SUBSCRIBED in self.tail(100_000) or not self.running, f"{self.name} subscribes")
        if not self.running:
            raise RuntimeError(f"{self.name} ended by itself with exit code {self.exit_code}")

    def alerts(self) -> Iterator[Json]:
        """Every revision that it committed, once it has ended."""
        for (body,) in _rows(self._database, "SELECT body FROM revision"):
            yield json.loads(body)

    def unexplained(self, seq_high: int) -> int:
        """How many numbers up to `seq_high` of the only device it neither has nor can explain, or says so."""
        seen = {seq for (seq,) in _rows(self._database, "SELECT seq FROM seen")}
        gaps = list(_rows(self._database, "SELECT from_seq, to_seq, reason FROM gap"))
        told = {seq for first, last, reason in gaps if reason is None for seq in range(first, last + 1)}
        explained = {seq for first, last, reason in gaps if reason for seq in range(first, last + 1)}
        return len((set(range(1, seq_high + 1)) - seen - explained) | told)


def device_config(
    folder: Path, broker_port: int, health_port: int = 0, mqtt: Mapping[str, Any] | None = None
) -> Path:
    """A configuration file with nothing in it but delivery, and a camera that nobody looks at."""
    content = {
        "site": SITE,
        "device": DEVICE,
        "state_dir": "state",
        "cameras": {"gate": {"url": "rtsp://127.0.0.1/nobody-looks"}},
        "health": {"interval_s": 1, "http_port": health_port},
        "mqtt": {"host": "127.0.0.1", "port": broker_port, "custody": "receipt", **(mqtt or {})},
    }
    return write_yaml(folder / "edgeguard.yaml", content)


def _rows(path: Path, query: str) -> Iterator[tuple[Any, ...]]:
    """None of a program that was killed before it had made its database, or the tables in it."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            yield from database.execute(query)
    except sqlite3.OperationalError as error:
        if not any(words in str(error) for words in ("unable to open", "no such table")):
            raise
