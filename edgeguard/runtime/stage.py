"""One named thread per stage: `step` again and again, and what happens when it fails.

The loop, the retries and the sleep are here; the story of one step is in the stage. A step that raises is
logged once, the stage is closed, its health turns `degraded` with the reason, and it is opened again after
1, 2, 5, 10, 30, 30, ... seconds, or after its own ladder; other stages carry on. Where a login was refused it
is not tried again for a minute: cameras lock accounts out.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from edgeguard.clock import Clock
from edgeguard.errors import EdgeGuardError, EndOfStreamError
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.health import Part, State

log = logging.getLogger(__name__)

RETRY_S: Sequence[float] = (1, 2, 5, 10, 30)
LOCKED_OUT_S = 60.0
STEP_S = 0.25
"""How long a step may wait, and so how soon a stage notices that it shall stop."""


class Stage(ABC):
    """A room's work, as its thread sees it: every method is called by that thread alone."""

    name: str
    retry_s: Sequence[float] = RETRY_S
    """Pauses after failures in a row; the last one goes on."""
    open_s: float = 0.0
    """How long `open` may take before the stage is called stuck, where that is more than a step may take."""
    step_s: float = 0.0
    """The same for a step, where that is more than others may take."""
    pulse: Callable[[], object] | None = None
    """Set by the thread that runs it."""

    def live(self) -> None:
        """Give a sign of life between two long parts of `open` or of a step: each may then take as long."""
        if self.pulse is not None:
            self.pulse()

    def open(self) -> None:  # noqa: B027 - not every stage has something to open
        """Get ready. Raises EdgeGuardError; `close` follows either way."""

    @abstractmethod
    def step(self) -> None:
        """Do one piece of work, or wait for one for at most `STEP_S`.

        Raises EndOfStreamError when there will never be more.
        """

    def close(self) -> None:  # noqa: B027
        """Let go of everything; `open` may follow."""

    def finish(self) -> None:  # noqa: B027
        """The daemon stops: say the last word. Called once, after the last `close`."""


class StageThread:
    """Runs one stage until told to stop, and counts its heartbeats."""

    def __init__(
        self,
        stage: Stage,
        part: Part,
        clock: Clock,
        retry_s: Sequence[float] | None = None,
        tries: int | None = None,
    ) -> None:
        """After `tries` failures in a row it gives up; None: never."""
        self.stage = stage
        stage.pulse = self._beat
        self.part = part
        part.count("failures", 0)
        self.beat_ns = clock.monotonic_ns()
        self._clock = clock
        self._retry_s = retry_s or stage.retry_s
        self._tries = tries
        self._opening = False
        self._over = False
        """Whether it came to its end as it should."""
        self._least_pause_s = 0.0
        self._failures = 0
        self._done = 0
        """Work of the part until its last failure."""
        self._errands: queue.SimpleQueue[tuple[Callable[[], object], Future[Any]]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=stage.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False if the thread still runs."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def between(self, errand: Callable[[], object]) -> Future[Any]:
        """Let the stage's own thread do something between two steps, or while it rests after a failure."""
        done: Future[Any] = Future()
        self._errands.put((errand, done))
        return done

    def is_stuck(self, now_ns: int, longest_s: float, excused_ns: int = 0) -> bool:
        """Whether it gave no sign of life for `longest_s`, not counting what is excused; or will never give
        one, as it died."""
        if self.started and not self.alive:
            return not self._over
        longest_s = max(longest_s, self.stage.open_s if self._opening else self.stage.step_s)
        return self.alive and now_ns - self.beat_ns - excused_ns > longest_s * 1e9

    @property
    def started(self) -> bool:
        """Whether it runs, or ran."""
        return self._thread.ident is not None

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        log.info("runs as thread 0x%016x", threading.get_ident())  # by that number a crash names it
        ended = False  # the part may say something else: that it hung until now
        while not (self._stop.is_set() or ended):
            try:
                self._run_until_failure()
            except EndOfStreamError as end:
                self.part.set(State.ENDED, str(end))
                ended = True
            except BaseException as error:  # a library's panic, or its exit, is no Exception
                self._fail(error)
            self._safely(self.stage.close)
            self._rest()
        self._safely(self.stage.finish)
        self._over = True

    def _run_until_failure(self) -> None:
        self._beat()
        self._open()
        while not self._stop.is_set():
            self._run_errands()
            self.stage.step()
            self._beat()
            self._recovered()

    def _open(self) -> None:
        self._opening = True
        try:
            self.stage.open()
        finally:
            self._beat()
            self._opening = False

    def _recovered(self) -> None:
        """A stage works again when it says so, or does work: opening a camera is not yet seeing, but one
        that is watched less than it should be is seen."""
        if self._failures and (self.part.state is State.OK or self.part.done > self._done):
            log.info("%s works again after %d failures", self.stage.name, self._failures)
            self._failures = 0

    def _fail(self, error: BaseException) -> None:
        reason = str(error) or type(error).__name__
        self.part.set(State.DEGRADED, reason, code_of(error))
        self.part.count("failures")
        self.part.rest()
        self._done = self.part.done
        self._least_pause_s = LOCKED_OUT_S if getattr(error, "cause", None) == "refused_login" else 0.0
        if self._failures == 0:
            expected = isinstance(error, EdgeGuardError)
            log.warning("%s failed: %s", self.stage.name, reason, exc_info=None if expected else error)
        self._failures += 1
        if self._failures == self._tries:
            log.error("%s is given up after %d tries: %s", self.stage.name, self._tries, reason)
            self._stop.set()

    def _rest(self) -> None:
        """After a failure, wait before the next try."""
        if not self._failures:
            return
        step = min(self._failures, len(self._retry_s)) - 1
        pause_s = max(self._retry_s[step], self._least_pause_s)
        pause_s *= random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
        waited = 0.0
        while waited < pause_s and not self._stop.wait(min(1.0, pause_s - waited)):
            waited += 1.0
            self._run_errands()
            self._beat()

    def _run_errands(self) -> None:
        while not self._errands.empty():
            errand, done = self._errands.get()
            try:
                done.set_result(errand())
            except BaseException as error:
                done.set_exception(error)

    def _safely(self, last_act: Callable[[], None]) -> None:
        try:
            last_act()
        except BaseException:
            log.exception("%s did not end cleanly", self.stage.name)

    def _beat(self) -> None:
        self.beat_ns = self._clock.monotonic_ns()
