"""A parent that does for a service what systemd does: a notify socket, a watchdog, and a restart.

It keeps to `Type=notify`, `NotifyAccess=main`, `WatchdogSignal=SIGABRT` and `Restart=always`, and to nothing
else: no cgroup, no sandbox. One thread of it starts, hears, aborts and restarts; every method may be called
from any other thread.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from _programs import Program, wait_for

from edgeguard.clock import SystemClock

_CLOCK = SystemClock()
_LOOK_S = 0.02
_CREDENTIALS = struct.Struct("3i")
_addresses = itertools.count()


@dataclass(slots=True)
class Run:
    """One life of the service; all times are of the monotonic clock."""

    number: int
    """1 for the first."""
    pid: int
    started_ns: int
    ready_ns: int | None = None
    fed: int = 0
    """How often it said WATCHDOG=1."""
    fed_ns: int = 0
    """When it said so last; the time of READY=1 before that."""
    longest_hunger_s: float = 0.0
    """The longest time between two such signs, once it was ready."""
    statuses: list[str] = field(default_factory=list)
    """What it said with STATUS=."""
    stopping: bool = False
    """It said STOPPING=1."""
    aborted_ns: int | None = None
    """When it was sent SIGABRT for want of signs of life."""
    exit_code: int | None = None
    """None while it runs; negative for a signal, as `subprocess` has it."""
    ended_ns: int | None = None

    @property
    def starved(self) -> bool:
        """Whether the watchdog ended it."""
        return self.aborted_ns is not None


class Supervisor:
    """Keeps `command` running in `folder`; what all its lives print goes to `<name>.log` there."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        name: str = "edgeguard",
        watchdog_s: float = 5.0,
        restart_s: float = 0.2,
        start_s: float = 60.0,
        abort_s: float = 5.0,
        no_restart: Collection[int] = (0, 78),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`start_s` is for READY=1, `abort_s` from SIGABRT to SIGKILL; codes of `no_restart` end it all."""
        self.runs: list[Run] = []
        """Every life so far; the last one may be going on."""
        self._watchdog_s, self._restart_s = watchdog_s, restart_s
        self._start_s, self._abort_s = start_s, abort_s
        self._no_restart = no_restart
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        address = f"edgeguard-supervisor-{os.getpid()}-{next(_addresses)}"
        self._socket.bind(f"\0{address}")
        self._socket.settimeout(_LOOK_S)
        watchdog = {"NOTIFY_SOCKET": f"@{address}", "WATCHDOG_USEC": str(round(watchdog_s * 1e6))}
        self._program = Program(name, command, folder, {**(environment or {}), **watchdog})
        self._told_to_stop = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def start(self) -> Supervisor:
        """Returns once the process runs; it need not be ready."""
        self._thread.start()
        wait_for(lambda: self.runs, "the service starts", every_s=_LOOK_S)
        return self

    def stop(self, timeout_s: float = 20.0) -> int:
        """SIGTERM, and no restart: the exit code of the last life. Kills it after `timeout_s`."""
        self._told_to_stop.set()
        self.signal(signal.SIGTERM)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self.signal(signal.SIGKILL)
            self._thread.join()
        self._socket.close()
        return self.run.exit_code if self.run.exit_code is not None else 0

    def signal(self, number: signal.Signals) -> None:
        """To the process that runs now, if one does; one that dies of it is started again."""
        if self._program.running:
            self._program.process.send_signal(number)

    @property
    def run(self) -> Run:
        """The newest life."""
        return self.runs[-1]

    @property
    def running(self) -> bool:
        return self._program.running

    @property
    def restarts(self) -> int:
        return len(self.runs) - 1

    @property
    def log(self) -> str:
        """All that was printed so far, by all lives."""
        file = self._program.log
        return file.read_text(errors="replace") if file.exists() else ""

    def wait_ready(self, number: int | None = None, timeout_s: float = 60.0) -> Run:
        """The life of that number (the newest, if None), once it said READY=1."""
        return self.wait_for_run(lambda run: run.ready_ns is not None, number, timeout_s, "is ready")

    def wait_for_run(
        self, holds: Callable[[Run], object], number: int | None, timeout_s: float, what: str
    ) -> Run:
        """The life of that number (the newest, if None), once something holds for it."""

        def look() -> Run | None:
            if number is not None and len(self.runs) < number:
                return None
            run = self.run if number is None else self.runs[number - 1]
            return run if holds(run) else None

        found = wait_for(look, f"life {number or 'now'} of the service {what}", timeout_s, _LOOK_S)
        assert found is not None
        return found

    def __enter__(self) -> Supervisor:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self.stop()
        self._program.__exit__(kind, error, trace)

    def _supervise(self) -> None:
        for number in itertools.count(1):
            self._program.start()
            self.runs.append(Run(number, self._program.process.pid, _CLOCK.monotonic_ns()))
            self._live(self.run)
            last = self.run.exit_code in self._no_restart
            if last or self._told_to_stop.wait(self._restart_s):
                return

    def _live(self, run: Run) -> None:
        """One life, to its end."""
        while (code := self._program.exit_code) is None:
            self._hear(run)
            self._look_after(run)
        run.exit_code, run.ended_ns = code, _CLOCK.monotonic_ns()

    def _hear(self, run: Run) -> None:
        try:
            said, extra, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        except TimeoutError:
            return
        senders = [_CREDENTIALS.unpack(data)[0] for _, kind, data in extra if kind == socket.SCM_CREDENTIALS]
        if senders == [run.pid]:
            for line in said.decode(errors="replace").splitlines():
                self._note(run, line, _CLOCK.monotonic_ns())

    def _note(self, run: Run, line: str, now_ns: int) -> None:
        name, _, value = line.partition("=")
        if (name, value) == ("READY", "1"):
            run.ready_ns = run.fed_ns = now_ns
        elif (name, value) == ("WATCHDOG", "1"):
            if run.ready_ns is not None:
                run.longest_hunger_s = max(run.longest_hunger_s, (now_ns - run.fed_ns) / 1e9)
            run.fed, run.fed_ns = run.fed + 1, now_ns
        elif (name, value) == ("STOPPING", "1"):
            run.stopping = True
        elif name == "STATUS":
            run.statuses.append(value)

    def _look_after(self, run: Run) -> None:
        """systemd's watchdog looks from READY=1 on, and no longer at a service that says it stops."""
        now_ns = _CLOCK.monotonic_ns()
        if run.aborted_ns is not None:
            if now_ns - run.aborted_ns > self._abort_s * 1e9:
                self.signal(signal.SIGKILL)
        elif run.ready_ns is None:
            if now_ns - run.started_ns > self._start_s * 1e9:
                self._abort(run, now_ns)
        elif not run.stopping and now_ns - run.fed_ns > self._watchdog_s * 1e9:
            self._abort(run, now_ns)

    def _abort(self, run: Run, now_ns: int) -> None:
        run.aborted_ns = now_ns
        self.signal(signal.SIGABRT)
