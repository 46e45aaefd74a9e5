"""When a source was not watched, and how much of a day it was."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlindTime:
    """`source` was not watched."""

    source: str
    cause: str
    """A word of `edgeguard.coverage.CAUSES`."""
    from_utc_ns: int
    to_utc_ns: int | None
    """None while it is not over."""


@dataclass(frozen=True, slots=True)
class SourceDay:
    """One source's share of a day."""

    source: str
    expected_s: float
    """For so long it was to be watched, as far as is known."""
    blind_s: float
    """For so long of it nobody did."""
    gaps: tuple[BlindTime, ...]
    """In the order of time, cut to the day."""
    gaps_left_out: int = 0
    """Short ones, for which there was no room; `blind_s` has them."""


@dataclass(frozen=True, slots=True)
class CoverageDay:
    """A day that is over, in the calendar of the site."""

    day: str
    """`2026-11-28`."""
    time_zone: str
    from_utc_ns: int
    to_utc_ns: int
    """What is known of the day: all of it, unless the book begins in it."""
    sources: tuple[SourceDay, ...]
