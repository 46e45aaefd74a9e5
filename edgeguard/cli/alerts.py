"""`edgeguard alerts`: what a collector's database holds."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edgeguard.cli._centre import reader
from edgeguard.cli._output import ConfigFile, Json, fail, said_plainly
from edgeguard.config import load_collector

if TYPE_CHECKING:
    from edgeguard.collector.reading import Filter, Reader

app = typer.Typer(help="Look into a collector's database: alerts, devices, gaps.", no_args_is_help=True)

_AT_ONCE = 500
_COLUMNS = (
    "opened_at",
    "site",
    "device",
    "severity",
    "state",
    "kind",
    "source",
    "rule",
    "verdict",
    "alert_id",
)
Since = Annotated[datetime | None, typer.Option(help="Opened then or later (UTC).")]
Until = Annotated[datetime | None, typer.Option(help="Opened before (UTC).")]
Site = Annotated[str | None, typer.Option(help="Only of this site.")]
Device = Annotated[str | None, typer.Option(help="Only of this device.")]
Severity = Annotated[list[str] | None, typer.Option(help="Only this severity; may be given again.")]
Unacknowledged = Annotated[bool, typer.Option("--unacknowledged", help="Only what nobody acknowledged.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")]
Format = Annotated[str, typer.Option("--format", help="`jsonl`: every message whole; `csv`: one row each.")]


@app.command("list")
@said_plainly
def show_list(
    config_file: ConfigFile,
    since: Since = None,
    until: Until = None,
    site: Site = None,
    device: Device = None,
    severity: Severity = None,
    unacknowledged: Unacknowledged = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Print alerts, the one opened last first."""
    with reader(load_collector(config_file)) as book:
        which = _filter(since, until, site, device, severity, unacknowledged)
        _print(list(_some(book, which, limit)), _COLUMNS, as_json)


@app.command("show")
@said_plainly
def show(
    config_file: ConfigFile, alert_id: str, site: Site = None, device: Device = None, as_json: Json = False
) -> None:
    """Print one alert with all its revisions."""
    with reader(load_collector(config_file)) as book:
        found = book.alert(alert_id, site, device)
    if not found:
        fail(f"there is no alert {alert_id} in this database")
    print(json.dumps(found if len(found) > 1 else found[0], indent=None if as_json else 2))


@app.command("export")
@said_plainly
def export(
    config_file: ConfigFile,
    since: Since = None,
    until: Until = None,
    site: Site = None,
    device: Device = None,
    form: Format = "jsonl",
) -> None:
    """Write all alerts to standard output."""
    with reader(load_collector(config_file)) as book:
        which = _filter(since, until, site, device, None, False)
        alerts = _some(book, which, None)
        if form == "csv":
            _write_csv(alerts)
        elif form == "jsonl":
            for alert in alerts:
                print(json.dumps(alert))
        else:
            fail(f"--format is {form!r}; use jsonl or csv", 2)


@app.command("devices")
@said_plainly
def show_devices(config_file: ConfigFile, as_json: Json = False) -> None:
    """Print every device: whether it is there, and how much of it is missing."""
    columns = ("site", "device", "state", "last_seen_at", "seq_high", "complete_to", "missing", "version")
    with reader(load_collector(config_file)) as book:
        _print(book.devices(), columns, as_json)


@app.command("gaps")
@said_plainly
def show_gaps(
    config_file: ConfigFile,
    unexplained: Annotated[bool, typer.Option("--unexplained", help="Only those without a reason.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Print messages that are missing, found last first."""
    columns = ("site", "device", "from_seq", "to_seq", "reason", "asked", "noticed_at")
    with reader(load_collector(config_file)) as book:
        _print(book.gaps(unexplained=unexplained, limit=limit), columns, as_json)


@app.command("precision")
@said_plainly
def show_precision(config_file: ConfigFile, as_json: Json = False) -> None:
    """Print how often each rule was right, by the verdicts of those who acknowledged."""
    columns = ("site", "device", "rule", "alerts", "true", "false_alarm", "precision")
    with reader(load_collector(config_file)) as book:
        _print(book.precision(), columns, as_json)


def _filter(
    since: datetime | None,
    until: datetime | None,
    site: str | None,
    device: str | None,
    severity: Sequence[str] | None,
    unacknowledged: bool,
) -> Filter:
    from edgeguard.collector.reading import Filter

    return Filter(
        *(_ns(since), _ns(until), site, device, tuple(severity or ())),
        acknowledged=False if unacknowledged else None,
    )


def _ns(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=timezone.utc).timestamp()) * 10**9


def _some(book: Reader, which: Filter, limit: int | None) -> Iterator[dict[str, Any]]:
    """Alerts, page by page; all of them without a limit."""
    place = None
    while limit is None or limit > 0:
        page = book.alerts(which, min(limit or _AT_ONCE, _AT_ONCE), place)
        yield from page.alerts
        place = page.next
        if place is None:
            return
        limit = None if limit is None else limit - len(page.alerts)


def _print(answers: Sequence[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(answers))
        return
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    for answer in answers:
        table.add_row(*(Text(_plain(answer.get(column))) for column in columns))
    Console(width=None if sys.stdout.isatty() else 400, highlight=False).print(table)


def _plain(value: object) -> str:
    """What came over the wire does not get to steer the terminal."""
    text = "-" if value is None else str(value)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _write_csv(alerts: Iterator[dict[str, Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    columns = (*_COLUMNS, "summary")
    writer.writerow(columns)
    for alert in alerts:
        row = {**alert, "summary": alert["message"]["summary"]}
        writer.writerow([_harmless(row[column]) for column in columns])


def _harmless(value: object) -> str:
    """No formula for a spreadsheet."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
