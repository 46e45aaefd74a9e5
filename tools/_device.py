"""The delivery part of the daemon in a process of its own, with alerts that a seed invents.

    python tools/_device.py CONFIG --alerts N --rate R --seed S

Publisher, outbox, link, health port and stages are assembled by the product's own code from CONFIG. Beside
the state folder two journals grow, each line written before the next step: `intents`, the number, alert id
and state of each alert before it is handed over, and `committed`, the numbers that are known to be on disk.
Killed and started again, it goes on with the number after the last intent. Once N are invented, nothing waits
and a file `finish` stands beside the journals, it ends with exit code 0; so it does after SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from unittest import mock

from _alerts import Inventor

from edgeguard.alerts.durable import Draft
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.outbox_file import Database
from edgeguard.clock import SystemClock
from edgeguard.config import Config, load
from edgeguard.runtime.assembly import telling as assembly
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.claim import claim
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.http import HealthStage
from edgeguard.runtime.logs import set_up
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.stage import Stage, StageThread
from edgeguard.types import Alert

ItemT = TypeVar("ItemT")
_PACE_S = 0.01
_CALM_S = 0.5


class Journal:
    """Lines appended to a file, each whole and at once; they survive the death of the process."""

    def __init__(self, path: Path) -> None:
        self.lines = path.read_text().splitlines() if path.exists() else []
        """Of the runs before."""
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


class JournaledOutbox(Outbox):
    """The product's outbox; it writes the numbers of alerts down as soon as they are on the disk."""

    journal: Journal

    def commit(self, items: Sequence[ItemT], draft: Callable[[ItemT, int, Database], Draft]) -> None:
        super().commit(items, draft)
        for item in items:
            if isinstance(item, Alert) and item.track_ids:
                self.journal.write(str(item.track_ids[0]))


class Device:
    """The stages, and the loop that invents alerts and writes down what became of them."""

    def __init__(self, config: Config, seed: int, alerts: int, rate: float) -> None:
        folder = config.state_dir.parent
        self._clock = SystemClock()
        self._intents = Journal(folder / "intents")
        JournaledOutbox.journal = Journal(folder / "committed")
        self._finish = folder / "finish"
        self._calm = 0
        """For how many steps nothing has waited."""
        already = len(self._intents.lines)
        self._inventor = Inventor(seed + already, self._clock, already + 1)
        self._alerts = alerts
        self._rate = rate
        self._board = HealthBoard(self._clock)
        self._telling = assembly.Telling(config, self._clock, self._board, Channel(10), Shelf(), lambda _: ())
        self._threads = [
            StageThread(stage, self._board.part(name), self._clock)
            for name, stage in self._stages(config).items()
        ]
        self._health_every_ns = round(config.health.interval_s * 1e9)

    def run(self, stop: threading.Event) -> None:
        for thread in self._threads:
            thread.start()
        begin_ns = self._clock.monotonic_ns()
        first, health_ns = self._inventor.number, begin_ns
        while not stop.wait(_PACE_S) and not self._over():
            now_ns = self._clock.monotonic_ns()
            self._invent(first + round((now_ns - begin_ns) * self._rate / 1e9))
            if now_ns >= health_ns:
                health_ns += self._health_every_ns
                self._telling.tell_health()
        for thread in reversed(self._threads):
            thread.ask_to_stop()
            thread.join(10)

    def _stages(self, config: Config) -> dict[str, Stage]:
        stages = {name: stage for name, stage in self._telling.stages().items() if name != "alerts"}
        if port := config.health.http_port:
            stages["health"] = HealthStage(port, self._report, self._board.part("health"))
        return stages

    def _report(self) -> dict[str, object]:
        return {"state": self._board.state.value, "parts": self._board.report()}

    def _invent(self, up_to: int) -> None:
        while self._inventor.number < min(up_to, self._alerts):
            alert = self._inventor.next()
            self._intents.write(f"{self._inventor.number} {alert.alert_id} {alert.state.value}")
            self._telling.tell(alert)

    def _over(self) -> bool:
        """All is invented and told, and stays so: the publisher may just be between taking and committing."""
        told = self._inventor.number >= self._alerts and self._telling.idle
        self._calm = self._calm + 1 if told and self._telling.delivery.connected else 0
        return self._calm * _PACE_S >= _CALM_S and self._finish.exists()


def main() -> None:
    parser = argparse.ArgumentParser(description="The delivery part of the daemon, with invented alerts.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--alerts", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="alerts a second")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    config = load(args.config)
    set_up("info", as_json=False)
    lock = claim(config.state_dir)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with lock, mock.patch.object(assembly, "Outbox", JournaledOutbox):
        Device(config, args.seed, args.alerts, args.rate).run(stop)


if __name__ == "__main__":
    main()
