"""`edgeguard coverage`: when did nobody watch, and why?"""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone, tzinfo
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from edgeguard.cli._output import Json
from edgeguard.clock import SystemClock
from edgeguard.config import load
from edgeguard.coverage import CAUSES, Book, Interval, What, blind_s, coverage_day, day_of, read
from edgeguard.coverage.days import bounds
from edgeguard.errors import ConfigError

_SILENT_NS = 90_000_000_000
"""Three heartbeats."""
ConfigOrNone = Annotated[Path | None, typer.Argument(metavar="[CONFIG]", help="The configuration file.")]
StateDir = Annotated[
    Path | None, typer.Option(help="The state folder, instead of CONFIG; days are UTC then.")
]
Day = Annotated[str | None, typer.Option(help="That day only, as YYYY-MM-DD in the site's time zone.")]
Source = Annotated[str | None, typer.Option(help="That camera or microphone only.")]


def coverage(
    config_file: ConfigOrNone = None,
    state_dir: StateDir = None,
    day: Day = None,
    source: Source = None,
    as_json: Json = False,
) -> None:
    """List when a camera or microphone was not watched, and why; also while the daemon runs."""
    folder, zone = _place(config_file, state_dir)
    chosen = _day(day)
    records = list(read(folder))
    if not records:
        raise ConfigError(f"{folder} holds no book of blind time; the service begins it when it runs")
    book = Book(records)
    intervals = [one for one in book.intervals() if source in (None, one.source)]
    if source is not None and not intervals and source not in book.sources:
        raise ConfigError(f"nothing is known of {source}; watched are {', '.join(book.sources)}")
    if chosen is not None:
        begin_ns, end_ns = bounds(chosen, zone)
        if end_ns <= records[0].utc_ns or begin_ns > records[-1].utc_ns:
            first, last = (_local(record.utc_ns, zone) for record in (records[0], records[-1]))
            raise ConfigError(f"nothing is known of {chosen}: the book goes from {first} to {last}")
        intervals = [one for one in intervals if one.from_utc_ns < end_ns and one.to_utc_ns > begin_ns]
    intervals.sort(key=lambda one: (one.from_utc_ns, one.source))
    shares = {} if chosen is None else _shares(book, chosen, zone, source)
    sums = _sums(intervals, zone, chosen)
    if as_json:
        known = {"from": _utc(records[0].utc_ns), "to": _utc(records[-1].utc_ns)}
        print(
            json.dumps(
                {
                    "intervals": [_as_dict(one) for one in intervals],
                    "blind_s": sums,
                    "watched_share": shares,
                    "known": known,
                }
            )
        )
        return
    _print(intervals, sums, zone)
    for name, share in shares.items():
        print(f"{chosen}  {name}: watched for {_percent(share)} of the time")
    if records[-1].what is What.STOP or SystemClock().utc_ns() - records[-1].utc_ns > _SILENT_NS:
        print(f"{_local(records[-1].utc_ns, zone)}  is the last the book says: the service does not run")


def _place(config_file: Path | None, state_dir: Path | None) -> tuple[Path, tzinfo]:
    if (config_file is None) == (state_dir is None):
        raise ConfigError("name either a configuration file or, with --state-dir, the state folder")
    if state_dir is not None:
        return state_dir / "coverage", timezone.utc
    assert config_file is not None
    config = load(config_file)
    return config.state_dir / "coverage", ZoneInfo(config.timezone)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--day {text}: expected a day such as 2026-11-28") from None


def _sums(
    intervals: list[Interval], zone: tzinfo, chosen: date | None
) -> dict[str, dict[str, dict[str, float]]]:
    """Seconds by day, source and cause."""
    days = {day_of(ns, zone) for one in intervals for ns in _moments(one)}
    wanted = sorted(days) if chosen is None else [chosen]
    return {str(day): blind for day in wanted if (blind := _rounded(blind_s(intervals, day, zone)))}


def _shares(book: Book, day: date, zone: tzinfo, source: str | None) -> dict[str, float]:
    """For which share of that day, as far as is known, each source was watched."""
    told = coverage_day(book, book.intervals(), day, zone)
    wanted = [one for one in (told.sources if told else ()) if source in (None, one.source)]
    return {one.source: round(1 - one.blind_s / one.expected_s, 6) for one in wanted}


def _percent(share: float) -> str:
    """Rounded down: what was not watched all the time is never 100 %."""
    return f"{math.floor(share * 10_000) / 100:g} %"


def _moments(one: Interval) -> list[int]:
    """A moment (UTC, ns) in each day that the interval touches."""
    half_day_ns = 43_200_000_000_000
    return [*range(one.from_utc_ns, one.to_utc_ns, half_day_ns), one.to_utc_ns]


def _rounded(sums: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        source: {cause: round(seconds, 1) for cause, seconds in causes.items()}
        for source, causes in sorted(sums.items())
    }


def _as_dict(one: Interval) -> dict[str, Any]:
    return {
        "source": one.source,
        "cause": one.cause,
        "from": _utc(one.from_utc_ns),
        "to": _utc(one.to_utc_ns) if one.over else None,
        "lasted_s": round(one.lasted_s, 1),
    }


def _print(intervals: list[Interval], sums: dict[str, dict[str, dict[str, float]]], zone: tzinfo) -> None:
    if not intervals:
        print("everything was watched at all times")
    for one in intervals:
        end = _local(one.to_utc_ns, zone) if one.over else "still              "
        why = f"{one.cause}: {CAUSES.get(one.cause, 'unknown cause')}"
        print(f"{_local(one.from_utc_ns, zone)}  {end}  {one.lasted_s:9.1f} s  {one.source}  {why}")
    for day, by_source in sums.items():
        for source, causes in by_source.items():
            listed = ", ".join(f"{cause} {seconds:g} s" for cause, seconds in causes.items())
            print(f"{day}  {source}: {sum(causes.values()):.1f} s not watched ({listed})")


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns / 1e9, timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}"


def _local(ns: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(ns / 1e9, zone):%Y-%m-%d %H:%M:%S}"
