"""The main thread: start in order, watch, tell, stop in reverse."""

from __future__ import annotations

import faulthandler
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgeguard.clock import Clock
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.notify import Notifier
from edgeguard.runtime.stacks import LastWords, stacks
from edgeguard.runtime.stage import StageThread

log = logging.getLogger(__name__)

_LOOK_S = 0.5
_STUCK_S = 30.0
"""After so long without a sign of life a thread is stuck, where nobody watches over the daemon."""
_STOP_S = 4.5
_LAST_WORDS_S = 0.8
"""What each later group keeps of the time to stop, however long the earlier ones take."""
_STARTS_ON_USEC = 60_000_000
"""How long systemd waits on for a start in which no thread is stuck."""
_QUIET_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Crew:
    """The stages, in the order in which they start; they stop in reverse."""

    tellers: Sequence[StageThread]
    """Publisher and alerts."""
    thinkers: Sequence[StageThread]
    """Vision and speech."""
    sources: Sequence[StageThread]
    """Cameras and microphones."""
    changers: Sequence[StageThread] = ()
    """Who opens and closes others; first to stop, so that nothing is opened after that."""

    @property
    def everyone(self) -> list[StageThread]:
        return [*self.tellers, *self.thinkers, *self.sources, *self.changers]


@dataclass(slots=True)
class Daemon:
    """Runs the crew until it is told to stop, or until every source has ended if `until_done`."""

    crew: Crew
    board: HealthBoard
    clock: Clock
    tell_health: Callable[[], object]
    """Publish the health report."""
    drained: Callable[[], bool]
    """Whether everything that was seen and heard has been dealt with and delivered."""
    refresh: Callable[[], object]
    """Bring counters that are measured elsewhere into the board."""
    health_every_s: float = 10.0
    notifier: Notifier = field(default_factory=Notifier.from_environment)
    until_done: bool = False
    reload: Callable[[], object] = lambda: None
    """What SIGHUP asks for; returns at once."""
    _restarting: bool = False
    _told_to_stop: bool = False
    _told_to_end: bool = False
    _told_to_reload: bool = False
    _told_to_show: bool = False
    _pause: threading.Event = field(default_factory=threading.Event)
    _stuck: frozenset[str] = frozenset()
    _last_words: LastWords = field(init=False)
    _looked_ns: int = 0
    _stood_ns: int = 0
    """How long the whole process stood still so far, which is no stage's fault."""
    _signs: dict[StageThread, tuple[int, int]] = field(default_factory=dict)
    """Each thread's last sign of life, and how long the process had stood still before it."""
    _ready: bool = False
    _status: str = ""
    _quiet_looks: int = 0

    def __post_init__(self) -> None:
        self._last_words = LastWords(self.notifier.watchdog_s)

    @property
    def stuck_s(self) -> float:
        """Half of what the watchdog allows, so that it is said before the watchdog ends us."""
        return self.notifier.watchdog_s / 2 if self.notifier.watchdog_s else _STUCK_S

    def run(self) -> None:
        """Returns after a clean stop."""
        faulthandler.enable(sys.stderr)  # shows the stacks when a starved watchdog aborts us, too
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear_signal)
        signal.signal(signal.SIGHUP, self._hear_reload)
        signal.signal(signal.SIGUSR1, self._hear_show)
        try:
            for thread in self.crew.everyone:
                thread.start()
            self._watch()
        finally:
            self._last_words.call_off()
            self._shut_down()

    def _hear_signal(self, *_: object) -> None:
        """Only a plain value: an Event may be in the middle of something when the signal comes."""
        self._told_to_stop = self._told_to_end = True

    def _hear_reload(self, *_: object) -> None:
        self._told_to_reload = True

    def _hear_show(self, *_: object) -> None:
        """Not by faulthandler: threads that run on while it looks at them can crash it, and us."""
        self._told_to_show = True

    def restart(self) -> None:
        """Stop, so that whoever called `run` may begin anew. For any thread."""
        self._restarting = self._told_to_stop = True

    @property
    def restarting(self) -> bool:
        """Whether the process goes on after the stop, with another configuration; a signal to stop wins."""
        return self._restarting and not self._told_to_end

    def _watch(self) -> None:
        told_ns: int | None = None
        while not self._told_to_stop:
            self.board.news.wait(_LOOK_S)
            if self._told_to_reload:
                self._told_to_reload = False
                self.reload()
            if self._told_to_show:
                self._told_to_show = False
                log.info("asked by SIGUSR1, all threads:\n%s", stacks())
            if self.until_done and self._done():
                log.info("every source has ended and everything is delivered")
                return
            now_ns = self.clock.monotonic_ns()
            self._note_beats(now_ns)
            self.board.look()
            if self.board.news.is_set() or told_ns is None or now_ns - told_ns >= self.health_every_s * 1e9:
                self.board.news.clear()
                self.refresh()
                self.tell_health()
                told_ns = now_ns
            self._keep_systemd_informed(now_ns)
            self._pause.wait(0.05)

    def _note_beats(self, now_ns: int) -> None:
        """How long ago each thread gave a sign of life, whether it had work or not."""
        for thread in self.crew.everyone:
            if thread.alive:
                thread.part.note(beat_age_s=round(max(0, now_ns - thread.beat_ns) / 1e9, 1))

    def _done(self) -> bool:
        """Quiet several times in a row: a value may be between two channels."""
        quiet = not any(thread.alive for thread in self.crew.sources) and self.drained()
        self._quiet_looks = self._quiet_looks + 1 if quiet else 0
        return self._quiet_looks >= _QUIET_LOOKS

    def _keep_systemd_informed(self, now_ns: int) -> None:
        if self._find_stuck(now_ns):
            return
        if not self._ready and self.board.state is not State.STARTING:
            self._ready = True
            self.notifier.send("READY=1")
        if self._ready and (status := self.board.summary) != self._status:
            self._status = status
            self.notifier.send(f"STATUS={status}")
        if not self._ready:  # several models may take longer than one
            self.notifier.send(f"EXTEND_TIMEOUT_USEC={_STARTS_ON_USEC}")
        self.notifier.send("WATCHDOG=1")
        self._last_words.put_off()

    def _find_stuck(self, now_ns: int) -> bool:
        """Whether a thread gives no sign of life; health and log say so, and the watchdog is not fed."""
        self._note_standstill(now_ns)
        stuck = [
            thread
            for thread, (_, stood_ns) in self._signs.items()
            if thread.is_stuck(now_ns, self.stuck_s, self._stood_ns - stood_ns)
        ]
        names = frozenset(thread.stage.name for thread in stuck)
        if names - self._stuck:
            log.error("stuck: %s; the watchdog is not fed\n%s", ", ".join(sorted(names)), stacks(names))
            self._last_words.call_off()
        reason = f"no sign of life for more than {self.stuck_s:g} s"
        for thread in self.crew.everyone:
            if (thread in stuck) != (thread.stage.name in self._stuck):
                thread.part.hang(reason if thread in stuck else None)
        self._stuck = names
        return bool(stuck)

    def _note_standstill(self, now_ns: int) -> None:
        """On a starved machine nobody gets to work; but of each look some time counts, or a thread that hangs
        would be excused for ever."""
        before = self._signs
        self._signs = {}
        for thread in self.crew.everyone:
            sign = (thread.beat_ns, self._stood_ns)
            known = before.get(thread, sign)
            self._signs[thread] = known if known[0] == sign[0] else sign
        if self._looked_ns:
            self._stood_ns += max(0, now_ns - self._looked_ns - round(self.stuck_s / 2 * 1e9))
        self._looked_ns = now_ns

    def _shut_down(self) -> None:
        log.info("stopping, to begin anew" if self.restarting else "stopping")
        self.notifier.send("RELOADING=1" if self.restarting else "STOPPING=1")
        deadline_ns = self.clock.monotonic_ns() + round(_STOP_S * 1e9)
        self._stop_together(self.crew.changers, self.clock.monotonic_ns() + round(_LAST_WORDS_S * 1e9))
        groups = [self.crew.sources, self.crew.thinkers, *([one] for one in reversed(self.crew.tellers))]
        for later, group in enumerate(groups, 1 - len(groups)):
            self._stop_together(group, deadline_ns + round(later * _LAST_WORDS_S * 1e9))

    def _stop_together(self, group: Sequence[StageThread], deadline_ns: int) -> None:
        for thread in group:
            thread.ask_to_stop()
        for thread in group:
            if not thread.join(max(0, deadline_ns - self.clock.monotonic_ns()) / 1e9):
                log.warning("%s does not stop; leaving it behind", thread.stage.name)
