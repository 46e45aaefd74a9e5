"""The doctor's quick checks in the running guard: at its start and every hour, for health and the journal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from edgeguard.clock import Clock
from edgeguard.runtime.doctor import Check, Finding, Look, Verdict
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.stage import STEP_S, Stage

log = logging.getLogger(__name__)

_EVERY_NS = 3_600_000_000_000
_AGAIN_NS = 60_000_000_000
"""While there is a fault, so that health tells soon that it is gone."""


class CheckupStage(Stage):
    """One check at a time, each on a thread of its own: one that hangs is given up and holds up nothing.

    It is not begun again while it hangs: a thread more each minute would soon be all that the guard may have.

    A fault turns the part degraded until a later round no longer finds it; a warning is counted and logged.
    """

    name = "doctor"

    def __init__(self, checks: Callable[[], Sequence[Check]], part: Part, clock: Clock) -> None:
        self._checks = checks
        self._part = part
        self._clock = clock
        self._waiting: list[Check] = []
        self._look: Look | None = None
        self._hanging: dict[tuple[str, str | None], Look] = {}
        self._found: list[Finding] = []
        self._told: set[tuple[str, str | None, Verdict]] = set()
        self._next_ns = clock.monotonic_ns()
        self._pause = threading.Event()

    def open(self) -> None:
        self._part.set(State.OK)

    def step(self) -> None:
        if self._look is not None:
            self._await(self._look)
        elif self._waiting:
            self._look = self._begin(self._waiting.pop(0))
        elif self._found:
            self._conclude()
        elif self._clock.monotonic_ns() >= self._next_ns:
            self._next_ns = self._clock.monotonic_ns() + _EVERY_NS
            self._waiting = list(self._checks())
        else:
            self._pause.wait(STEP_S)

    def _begin(self, check: Check) -> Look:
        before = self._hanging.pop((check.name, check.about), None)
        return before if before is not None and before.hangs else Look(check, self._clock)

    def _await(self, look: Look) -> None:
        if look.over:
            self._found += look.found()
            if look.hangs:
                self._hanging[look.check.name, look.check.about] = look
            self._look = None
        else:
            self._pause.wait(STEP_S / 10)

    def _conclude(self) -> None:
        found, self._found = self._found, []
        bad = [finding for finding in found if not finding.ok]
        faults = [finding for finding in bad if finding.verdict is Verdict.FAULT]
        self._part.note(faults=len(faults), warnings=len(bad) - len(faults), checked=len(found))
        if faults:
            first = faults[0]
            about = f" {first.about}" if first.about else ""
            self._part.set(State.DEGRADED, f"{first.check}{about}: {first.said}; {first.fix}", first.check)
            self._next_ns = self._clock.monotonic_ns() + _AGAIN_NS
        else:
            self._part.set(State.OK)
        self._tell(bad)

    def _tell(self, bad: Sequence[Finding]) -> None:
        """Once, until it is gone and comes again: an hour later it is no news."""
        keys = {(one.check, one.about, one.verdict) for one in bad}
        for finding in bad:
            if (finding.check, finding.about, finding.verdict) not in self._told:
                level = logging.ERROR if finding.verdict is Verdict.FAULT else logging.WARNING
                about = f" {finding.about}" if finding.about else ""
                words = (finding.check, about, finding.said, finding.cause, finding.fix)
                log.log(level, "%s%s: %s; cause: %s; fix: %s", *words)
        self._told = keys
