"""What one check found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

_NONE: Mapping[str, object] = MappingProxyType({})


class Verdict(str, Enum):
    OK = "ok"
    WARNING = "warning"
    """It works, but not as well or not as long as it should."""
    FAULT = "fault"
    """Something that is needed does not work."""
    SKIPPED = "skipped"
    """It does not apply here, or could not be looked at; `said` tells which."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report. A warning and a fault have a cause and a fix: ValueError without."""

    check: str
    """`broker`, `camera`, `disk`: what was looked at."""
    verdict: Verdict
    said: str
    """What is there; or the problem."""
    about: str | None = None
    """Which of several: a camera, a file, a broker."""
    cause: str | None = None
    fix: str | None = None
    figures: Mapping[str, object] = field(default_factory=dict)
    """Measured."""
    mend: Callable[[], str] | None = field(default=None, compare=False, repr=False)
    """Does the fix where that is safe, and says what it did; may raise OSError."""
    mended: str | None = None
    """What `--fix` did about it before it was looked at again."""
    took_ms: float | None = None

    def __post_init__(self) -> None:
        if self.verdict in (Verdict.WARNING, Verdict.FAULT) and not (self.said and self.cause and self.fix):
            raise ValueError(f"the {self.verdict.value} of {self.check} lacks its problem, cause or fix")

    @property
    def ok(self) -> bool:
        """Whether there is nothing to do."""
        return self.verdict in (Verdict.OK, Verdict.SKIPPED)

    def as_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "about": self.about,
            "verdict": self.verdict.value,
            "ok": self.ok,
            "said": self.said,
            "cause": self.cause,
            "fix": self.fix,
            "mended": self.mended,
            "took_ms": self.took_ms,
            "figures": dict(self.figures),
        }


def fine(
    check: str, said: str, about: str | None = None, *, figures: Mapping[str, object] = _NONE
) -> Finding:
    return Finding(check, Verdict.OK, said, about, figures=figures)


def skipped(check: str, said: str, about: str | None = None) -> Finding:
    return Finding(check, Verdict.SKIPPED, said, about)


def warning(
    check: str,
    problem: str,
    cause: str,
    fix: str,
    about: str | None = None,
    *,
    figures: Mapping[str, object] = _NONE,
) -> Finding:
    return Finding(check, Verdict.WARNING, problem, about, cause, fix, figures)


def fault(
    check: str,
    problem: str,
    cause: str,
    fix: str,
    about: str | None = None,
    *,
    figures: Mapping[str, object] = _NONE,
) -> Finding:
    return Finding(check, Verdict.FAULT, problem, about, cause, fix, figures)
