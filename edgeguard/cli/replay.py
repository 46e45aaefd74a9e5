"""`edgeguard replay`: which alerts would other rules have raised?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from edgeguard.cli._output import Json
from edgeguard.config import Config, load
from edgeguard.errors import StorageError
from edgeguard.runtime.journal import read_files
from edgeguard.runtime.replaying import Replay
from edgeguard.types import Alert
from edgeguard.wording import counted

_SHOWN = 200
_HOW = "set log.observations to true, let the guard run, and wait for some"
Key = tuple[str, str, str, str]
"""Day, rule, source, severity."""


def replay(
    observations: Annotated[
        list[Path], typer.Argument(help="Files of state_dir/observations, or that folder.")
    ],
    rules: Annotated[Path, typer.Option("--rules", metavar="CONFIG", help="The configuration to try.")],
    against: Annotated[
        Path | None, typer.Option(metavar="CONFIG", help="The present one, for the difference.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show which alerts other rules and patterns would have raised from what was noticed, and the difference.

    The guard keeps the log where `log.observations` is true. It holds what rules noticed, not the pictures.
    Severity, cooldown, schedules, patterns, and rules on what is heard can be tried freely. A rule on
    pictures is found by its name: it can be made stricter (`dwell_s`, `count`, `ratio`, `for_s`, `classes`),
    but what it never noticed is not there. Such rules are named.
    """
    config = load(rules)
    paths = _paths(observations)
    tried = Replay(config)
    new = list(tried.run(read_files(paths)))
    zone = ZoneInfo(config.timezone)
    old = list(Replay(load(against)).run(read_files(paths))) if against else None
    days = _days(new, old, zone)
    if as_json:
        print(json.dumps({"days": days, "unseen": sorted(tried.unseen), "alerts": _rows(new, config)}))
    else:
        _print(days, new, sorted(tried.unseen), zone, old is not None)


def _paths(given: Sequence[Path]) -> list[Path]:
    paths = [path for one in given for path in (sorted(one.glob("*.jsonl")) if one.is_dir() else [one])]
    if lacking := next((path for path in paths if not path.exists()), None):
        raise StorageError(f"{lacking} does not exist: {_HOW}")
    if not paths:
        raise StorageError(f"{given[0]} holds no observations: {_HOW}")
    return paths


def _days(new: Iterable[Alert], old: Iterable[Alert] | None, zone: tzinfo) -> list[dict[str, Any]]:
    """For each day, rule, source and severity how many alerts there are, and how many there were."""
    now, then = _counts(new, zone), _counts(old or (), zone)
    return [
        {
            "day": day,
            "rule": rule,
            "source": source,
            "severity": severity,
            "alerts": now[key],
            "before": then[key] if old is not None else None,
        }
        for key in sorted({*now, *then})
        for day, rule, source, severity in [key]
    ]


def _counts(alerts: Iterable[Alert], zone: tzinfo) -> Counter[Key]:
    return Counter((_day(alert, zone), alert.rule, alert.source, alert.severity.value) for alert in alerts)


def _day(alert: Alert, zone: tzinfo) -> str:
    return f"{_at(alert, zone):%Y-%m-%d}"


def _at(alert: Alert, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(alert.opened_utc_ns / 1e9, zone)


def _rows(alerts: Iterable[Alert], config: Config) -> list[dict[str, Any]]:
    zone = ZoneInfo(config.timezone)
    return [
        {
            "at": _at(alert, zone).isoformat(),
            "rule": alert.rule,
            "source": alert.source,
            "severity": alert.severity.value,
            "summary": alert.summary,
        }
        for alert in alerts
    ]


def _print(
    days: Sequence[dict[str, Any]], alerts: Sequence[Alert], unseen: Sequence[str], zone: tzinfo, diff: bool
) -> None:
    for row in days:
        change = f"  (was {row['before']}, {row['alerts'] - row['before']:+d})" if diff else ""
        print(f"{row['day']}  {row['rule']} {row['source']} {row['severity']}: {row['alerts']}{change}")
    for alert in alerts[:_SHOWN]:
        print(f"{_at(alert, zone):%Y-%m-%d %H:%M:%S}  {alert.severity.value}: {alert.summary}")
    if len(alerts) > _SHOWN:
        print(f"and {len(alerts) - _SHOWN} more; --json lists all")
    if unseen:
        print(f"nothing in the log is of {', '.join(unseen)}: what these would notice cannot be told")
    print(counted(len(alerts), "alerts"))
