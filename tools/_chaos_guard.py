"""The daemon of a configuration, with faults in it by order: `python tools/_chaos_guard.py CONFIG`.

Everything is the product's own: `House(config).daemon()`. Only each stage's `step` has a wrapper around it,
and the clock adds what the file `clock_offset_ns` beside the configuration says, so that a jump outlives a
restart as it does on a machine. Orders are datagrams of JSON to `orders.sock`, each answered once it took
effect, with the monotonic time of that.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _chaos_orders import OFFSET, ORDERS

from edgeguard.clock import SystemClock
from edgeguard.config import load
from edgeguard.runtime import logs
from edgeguard.runtime.assembly import House

_CLOCK = SystemClock()
_FOREVER_S = 3600.0


class ChaosError(RuntimeError):
    """What a stage raises by order."""


class JumpingClock(SystemClock):
    """The machine's clocks, with another idea of UTC."""

    def __init__(self, file: Path) -> None:
        self.offset_ns = int(file.read_text()) if file.exists() else 0

    def utc_ns(self) -> int:
        return super().utc_ns() + self.offset_ns


class Saboteur:
    """Stands around one stage's step; orders come from another thread."""

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step
        self._order: tuple[str, str] | None = None
        self._done = threading.Event()
        self.took_ns = 0

    def __call__(self) -> None:
        order, self._order = self._order, None
        if order is None:
            self._step()
            return
        kind, words = order
        if kind == "raise_after":
            self._step()
        self.took_ns = _CLOCK.monotonic_ns()
        self._done.set()
        if kind == "hang":
            time.sleep(_FOREVER_S)
        raise ChaosError(words)

    def obey(self, kind: str, words: str, timeout_s: float) -> bool:
        """Whether the stage came to its next step in time."""
        self._done.clear()
        self._order = (kind, words)
        return self._done.wait(timeout_s)


def main() -> None:
    config_file = Path(sys.argv[1])
    config = load(config_file)
    logs.set_up(config.log.level, as_json=False)
    clock = JumpingClock(config_file.parent / OFFSET)
    daemon = House(config, clock).daemon()
    saboteurs = {}
    for thread in daemon.crew.everyone:
        saboteurs[thread.part.name] = saboteur = Saboteur(thread.stage.step)
        thread.stage.step = saboteur  # type: ignore[method-assign]
    desk = _bind(config_file.parent / ORDERS)
    threading.Thread(target=_take_orders, args=(desk, saboteurs, clock), daemon=True).start()
    daemon.run()


def _bind(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    desk = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    desk.bind(str(path))
    return desk


def _take_orders(desk: socket.socket, saboteurs: dict[str, Saboteur], clock: JumpingClock) -> None:
    while True:
        order, sender = desk.recvfrom(4096)
        answer = {"took_ns": _do(json.loads(order), saboteurs, clock)}
        desk.sendto(json.dumps(answer).encode(), sender)


def _do(order: dict[str, Any], saboteurs: dict[str, Saboteur], clock: JumpingClock) -> int | None:
    """When it took effect; None if it did not."""
    if order["kind"] == "jump":
        clock.offset_ns = order["offset_ns"]
        return _CLOCK.monotonic_ns()
    saboteur = saboteurs[order["stage"]]
    obeyed = saboteur.obey(order["kind"], order["words"], order["timeout_s"])
    return saboteur.took_ns if obeyed else None


if __name__ == "__main__":
    main()
