"""A process that is to begin anew, and is told to end meanwhile."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from edgeguard.clock import SystemClock
from edgeguard.runtime.daemon import Crew, Daemon
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.notify import Notifier
from edgeguard.runtime.stage import Stage, StageThread


class Told(Notifier):
    """A systemd that tells the daemon to end while it stops."""

    def __init__(self, ends: bool) -> None:
        super().__init__(None, None)
        self.ends = ends

    def send(self, state: str) -> None:
        if self.ends and state == "RELOADING=1":
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
    handlers = [(number, signal.getsignal(number)) for number in numbers]
    yield
    for number, handler in handlers:
        signal.signal(number, handler)
    faulthandler.enable(sys.__stderr__)


@pytest.mark.parametrize("ends", [False, True])
def test_a_signal_to_stop_wins(ends: bool) -> None:
    clock = SystemClock()
    daemon = Daemon(
        Crew([], [], []),
        HealthBoard(clock),
        clock,
        tell_health=lambda: None,
        drained=lambda: True,
        refresh=lambda: None,
        notifier=Told(ends),
    )
    daemon.restart()
    daemon.run()
    assert daemon.restarting is not ends


class Opens(Stage):
    """Opens one source after the other."""

    name = "config"

    def __init__(self, sources: list[StageThread], board: HealthBoard, clock: SystemClock) -> None:
        self._sources, self._board, self._clock = sources, board, clock

    def step(self) -> None:
        thread = StageThread(Rests(), self._board.part("camera/one"), self._clock)
        self._sources.append(thread)
        thread.start()
        threading.Event().wait(0.02)


class Rests(Stage):
    name = "capture-one"

    def step(self) -> None:
        threading.Event().wait(0.01)


def test_nothing_that_a_change_opens_is_left_behind() -> None:
    clock = SystemClock()
    board = HealthBoard(clock)
    sources: list[StageThread] = []
    changer = StageThread(Opens(sources, board, clock), board.part("config"), clock)
    daemon = Daemon(
        Crew([], [], sources, [changer]),
        board,
        clock,
        tell_health=lambda: None,
        drained=lambda: True,
        refresh=lambda: None,
        notifier=Told(ends=False),
    )
    threading.Timer(0.3, daemon.restart).start()
    daemon.run()
    assert sources
    assert not any(thread.alive for thread in (*sources, changer))
