"""Shows the demo: a live screen on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from edgeguard.cli.demo_rows import AlertRow, Parts, Summary, alert_row, delivery_row, source_rows
from edgeguard.cli.demo_screen import Board, kinds, latencies, latency, status, summary_panel
from edgeguard.cli.watch import COLOURS
from edgeguard.clock import Clock, SystemClock

STATUS_EVERY_S = 5.0
"""How often the plain view says how things are."""
SVG_COLUMNS = 120


class DemoView:
    """Is told what the daemon says, and shows it; used in a `with` block."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self.board = Board()
        self._console = console
        self._clock = clock
        self._start_ns = clock.monotonic_ns()

    def __enter__(self) -> DemoView:
        return self

    def __exit__(self, *_error: object) -> None: ...

    def health(self, parts: Parts) -> None:
        """Take the `parts` of a health message."""
        self.board.sources = source_rows(parts)
        self.board.delivery = delivery_row(parts)

    def alert(self, alert: Mapping[str, Any], latency_ms: float | None) -> None:
        """Take an alert message and how long it took; mere updates are not shown."""
        if alert["state"] != "updated":
            row = alert_row(alert, latency_ms)
            self.board.add(row)
            self._show(row)

    def tick(self) -> None:
        """Take notice of the time; to be called several times a second."""
        self.board.elapsed_s = (self._clock.monotonic_ns() - self._start_ns) / 1e9

    def show_summary(self, summary: Summary) -> None:
        """Say how it ended."""
        self.board.summary = summary

    def render_svg(self, path: Path) -> None:
        """Write the screen as it is now as a picture that needs nothing from elsewhere."""
        console = Console(record=True, width=SVG_COLUMNS, file=io.StringIO(), force_terminal=True)
        console.print(self.board.screen())
        picture = console.export_svg(title="edgeguard demo", unique_id="demo")
        path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL), encoding="utf-8")

    def _show(self, row: AlertRow) -> None:
        """An alert came."""


class LiveView(DemoView):
    """Redraws one screen."""

    def __init__(self, console: Console, clock: Clock) -> None:
        super().__init__(console, clock)
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> DemoView:
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    def tick(self) -> None:
        super().tick()
        self._live.update(self.board.screen(), refresh=True)

    def show_summary(self, summary: Summary) -> None:
        super().show_summary(summary)
        self._console.print(summary_panel(summary))


class PlainView(DemoView):
    """A line per alert, and now and then one on how things are."""

    def __init__(self, console: Console, clock: Clock) -> None:
        super().__init__(console, clock)
        self._said_s = 0.0

    def tick(self) -> None:
        super().tick()
        if self.board.elapsed_s >= self._said_s + STATUS_EVERY_S:
            self._said_s = self.board.elapsed_s
            self._console.print(status(self.board))

    def show_summary(self, summary: Summary) -> None:
        super().show_summary(summary)
        counts = f"{summary.committed} committed, {summary.received} received, {summary.lost} lost"
        self._console.print(Text(f"alerts: {kinds(summary)}"))
        self._console.print(Text(f"latency: {latencies(summary)}"))
        self._console.print(Text(f"messages: {counts}"))
        self._console.print(Text(f"folder: {summary.folder}"))

    def _show(self, row: AlertRow) -> None:
        word = row.severity if row.state == "opened" else row.state
        line = Text(f"{row.at} ").append(f"{word:<8}", style=COLOURS.get(word, "dim"))
        line.append(f" {row.source:<12} {row.kind:<14} {row.why}")
        self._console.print(line.append(f" [{latency(row)}]" if row.latency_ms is not None else ""))


def open_view(is_terminal: bool, console: Console | None = None, clock: Clock | None = None) -> DemoView:
    """The live screen if `is_terminal`, else plain lines."""
    console = console or Console(highlight=False, soft_wrap=not is_terminal)
    return (LiveView if is_terminal else PlainView)(console, clock or SystemClock())
