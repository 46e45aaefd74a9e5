"""The demo's screen: a pure function of what was told so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edgeguard.cli.demo_rows import AlertRow, DeliveryRow, SourceRow, Summary
from edgeguard.cli.watch import COLOURS
from edgeguard.wording import counted

ROWS = 14
"""So many alerts stay on the screen."""
STATES = {"ok": "green", "starting": "cyan", "ended": "dim", "off": "dim", "degraded": "bold red"}
UNITS = {"camera": "fps", "microphone": "chunks/s"}


@dataclass(slots=True)
class Board:
    """What was told so far."""

    elapsed_s: float = 0.0
    sources: list[SourceRow] = field(default_factory=list)
    delivery: DeliveryRow = field(default_factory=DeliveryRow)
    alerts: deque[AlertRow] = field(default_factory=lambda: deque(maxlen=ROWS))
    """Newest first."""
    opened: int = 0
    """Alerts opened so far."""
    summary: Summary | None = None

    def add(self, row: AlertRow) -> None:
        self.opened += row.state == "opened"
        self.alerts.appendleft(row)

    def screen(self) -> RenderableType:
        """What matters least is at the bottom, where a small terminal cuts it off."""
        parts: list[RenderableType] = [status(self), sources_table(self.sources), alerts_table(self.alerts)]
        if self.summary:
            parts.append(summary_panel(self.summary))
        return Group(*parts)


def sources_table(rows: Iterable[SourceRow]) -> Table:
    table = Table(title="Sources", title_justify="left", expand=True, box=SIMPLE_HEAD)
    for heading in ("name", "kind", "state", "rate", "watched by"):
        table.add_column(heading, justify="right" if heading == "rate" else "left")
    for row in rows:
        state = Text(row.state, style=STATES.get(row.state, "yellow"))
        if row.reason:
            state.append(f": {row.reason}", style="dim")
        table.add_row(Text(row.name), Text(row.kind), state, rate(row), Text(row.models))
    return table


def alerts_table(rows: Iterable[AlertRow]) -> Table:
    table = Table(title="Alerts, newest first", title_justify="left", expand=True, box=SIMPLE_HEAD)
    for heading in ("UTC", "severity", "source", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why", ratio=1)
    table.add_column("latency", justify="right", no_wrap=True)
    for row in rows:
        style = COLOURS.get(row.severity, "") if row.state == "opened" else "dim"
        severity = row.severity if row.state == "opened" else row.state
        told = (Text(severity, style), Text(row.source), Text(row.kind), Text(row.why, style))
        table.add_row(row.at, *told, latency(row))
    return table


def status(board: Board) -> Text:
    """How things are, as one line."""
    rates = ", ".join(f"{row.name} {rate(row) or row.state}" for row in board.sources)
    delivery = board.delivery
    text = Text(f"{board.elapsed_s:3.0f} s  {rates}  broker ")
    text.append(delivery.broker, style=STATES.get(delivery.broker, "yellow"))
    alerts = counted(board.opened, "alerts")
    return text.append(f"  outbox {delivery.pending} waiting, {delivery.delivered} delivered  {alerts}")


def summary_panel(summary: Summary) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_row("alerts", Text(kinds(summary)))
    table.add_row("latency", latencies(summary))
    counts = f"{summary.committed} committed, {summary.received} received, "
    colour = "bold red" if summary.lost else "green"
    table.add_row("messages", Text(counts).append(f"{summary.lost} lost", colour))
    table.add_row("folder", Text(summary.folder))
    return Panel(table, title="Summary", title_align="left", border_style=colour)


def kinds(summary: Summary) -> str:
    counts = sorted(summary.alerts_by_kind.items())
    return ", ".join(f"{kind} {count}" for kind, count in counts) or "none"


def latencies(summary: Summary) -> str:
    """From the arrival of the frame or sound in the daemon to here."""
    if summary.latency_p50_ms is None or summary.latency_p99_ms is None:
        return "not measured"
    return f"half of them below {summary.latency_p50_ms:.0f} ms, 99 % below {summary.latency_p99_ms:.0f} ms"


def rate(row: SourceRow) -> str:
    return "" if row.rate_per_s is None else f"{row.rate_per_s:.1f} {UNITS.get(row.kind, '/s')}"


def latency(row: AlertRow) -> str:
    return "" if row.latency_ms is None else f"{row.latency_ms:.0f} ms"
