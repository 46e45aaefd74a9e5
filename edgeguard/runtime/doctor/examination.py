"""Runs checks: each on a thread of its own and for so long at most, and one that raises is a finding too."""

from __future__ import annotations

import contextlib
import itertools
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from edgeguard.clock import Clock
from edgeguard.runtime.doctor.finding import Finding, Verdict, fault

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at."""

    name: str
    look: Callable[[], Iterable[Finding]]
    """May raise anything."""
    about: str | None = None
    limit_s: float = 10.0
    quick: bool = False
    """Reads a few files at most, so that the daemon does it at its start and every hour."""
    together: bool = False
    """Waits rather than works: several may run at once."""
    also: tuple[str, ...] = ()
    """Names under which it tells further findings."""


def examine(checks: Sequence[Check], clock: Clock, *, fix: bool = False) -> Iterator[Finding]:
    """What each check finds, in order. With `fix` what can safely be mended is, and is looked at again."""
    for together, group in itertools.groupby(checks, key=lambda check: check.together):
        waiting = list(group)
        size = _AT_ONCE if together else 1
        for start in range(0, len(waiting), size):
            looks = [Look(check, clock) for check in waiting[start : start + size]]
            for look in looks:
                found = look.found()
                yield from _mended(look.check, found, clock) if fix else found


def _mended(check: Check, found: list[Finding], clock: Clock) -> Iterator[Finding]:
    """The same findings, or those of a second look where something was mended."""
    done = {}
    for finding in found:
        if finding.mend is not None:
            with contextlib.suppress(OSError):  # then the finding stands, with its fix
                done[finding.about] = finding.mend()
    if not done:
        yield from found
        return
    for finding in Look(check, clock).found():
        yield replace(finding, mended=done.get(finding.about))


class Look:
    """A check under way. What does not come to its end in time is left behind, and said."""

    def __init__(self, check: Check, clock: Clock) -> None:
        self.check = check
        self._clock = clock
        self._begun_ns = clock.monotonic_ns()
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._run, name=f"doctor-{check.name}", daemon=True)
        self._thread.start()

    @property
    def hangs(self) -> bool:
        """Whether it did not come to its end yet."""
        return self._thread.is_alive()

    @property
    def over(self) -> bool:
        """Whether `found` answers at once."""
        spent_ns = self._clock.monotonic_ns() - self._begun_ns
        return not self._thread.is_alive() or spent_ns > self.check.limit_s * 1e9

    def found(self) -> list[Finding]:
        """Everything, or what there is when the time is over."""
        spent_s = (self._clock.monotonic_ns() - self._begun_ns) / 1e9
        self._thread.join(max(0.0, self.check.limit_s - spent_s))
        if self._thread.is_alive():
            return [*self._found, self._too_long()]
        return self._found

    def _run(self) -> None:
        last_ns = self._begun_ns
        try:
            for finding in self.check.look():
                now_ns = self._clock.monotonic_ns()
                took_ms = round((now_ns - last_ns) / 1e6, 1)
                self._found.append(replace(finding, took_ms=took_ms))
                last_ns = now_ns
        except Exception as error:
            self._found.append(_raised(self.check, error))

    def _too_long(self) -> Finding:
        check = self.check
        return fault(
            check.name,
            f"the check did not end within {check.limit_s:.0f} s",
            "what it asked does not answer: a device or a network file system that hangs",
            "look at `dmesg` and `mount`, mend or unplug what hangs, and run the doctor again",
            check.about,
        )


def _raised(check: Check, error: Exception) -> Finding:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return fault(
        check.name,
        f"the check itself failed: {error or type(error).__name__}",
        f"{type(error).__name__} in {where.filename}, line {where.lineno}",
        "read the problem: where it names a file or a right, mend that; else report it with this line",
        check.about,
    )


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing that is needed is missing."""
    return all(finding.verdict is not Verdict.FAULT for finding in findings)
