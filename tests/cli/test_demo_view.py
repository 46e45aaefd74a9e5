"""The demo's looks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from edgeguard.cli.demo_rows import DeliveryRow, SourceRow, Summary, alert_row, delivery_row, source_rows
from edgeguard.cli.demo_screen import ROWS, Board
from edgeguard.cli.demo_view import DemoView, LiveView, PlainView, open_view
from edgeguard.clock import ManualClock

SUMMARY = Summary({"loitering": 2, "crowd": 1}, 33.4, 640.2, committed=31, received=31, folder="demo-output")


def part(state: str = "ok", reason: str | None = None, rate: float | None = None, **counters: object) -> Any:
    return {"state": state, "reason": reason, "since": "", "rate_per_s": rate, "counters": counters}


PARTS = {
    "camera/yard": part(rate=10.02),
    "camera/dock": part("degraded", "no picture for 5 s"),
    "microphone/hall": part(rate=31.25),
    "detector": part(model="yolox-nano-416"),
    "speech": part("off", "no model is installed"),
    "sounds": part(model="yamnet"),
    "broker": part(),
    "outbox": part(pending=1, delivered=6, committed=7),
}


def alert(**changes: object) -> dict[str, Any]:
    return {
        "observed_at": "2026-05-04T03:02:01.000123Z",
        "severity": "warning",
        "state": "opened",
        "source": "yard",
        "kind": "loitering",
        "summary": "person 1 stayed 8.1 s in restricted (limit 8 s)",
        **changes,
    }


class Stage:
    """A view, what it wrote, and its clock."""

    def __init__(self, is_terminal: bool) -> None:
        self.out = io.StringIO()
        self.clock = ManualClock()
        console = Console(file=self.out, width=120, force_terminal=is_terminal, highlight=False)
        self.view: DemoView = open_view(is_terminal, console, self.clock)

    @property
    def text(self) -> str:
        return self.out.getvalue()


def on_screen(board: Board) -> str:
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(board.screen())
    return console.export_text()


def test_a_terminal_gets_the_live_screen() -> None:
    assert isinstance(Stage(True).view, LiveView)
    assert isinstance(Stage(False).view, PlainView)


def test_sources_are_read_from_health() -> None:
    assert source_rows(PARTS) == [
        SourceRow("yard", "camera", "ok", None, 10.02, "yolox-nano-416"),
        SourceRow("dock", "camera", "degraded", "no picture for 5 s", None, "yolox-nano-416"),
        SourceRow("hall", "microphone", "ok", None, 31.25, "yamnet"),
    ]


def test_a_camera_with_a_detector_of_its_own_names_it() -> None:
    parts = {"camera/yard": part(), "camera/dock": part(), "detector/dock": part(model="motion-mog2")}
    assert [row.models for row in source_rows(parts)] == ["", "motion-mog2"]


def test_delivery_is_read_from_health() -> None:
    assert delivery_row(PARTS) == DeliveryRow("ok", pending=1, delivered=6)
    assert delivery_row({"broker": part("degraded")}) == DeliveryRow("starting", 0, 0)


def test_the_screen_shows_sources_alerts_and_delivery() -> None:
    stage = Stage(True)
    stage.view.health(PARTS)
    stage.view.alert(alert(), 44.4)
    stage.clock.advance(12.3)
    stage.view.tick()
    shown = on_screen(stage.view.board)
    for words in ("yard", "10.0 fps", "31.2 chunks/s", "no picture for 5 s", "yolox-nano-416", "12 s"):
        assert words in shown
    for words in ("03:02:01", "warning", "loitering", "stayed 8.1 s", "44 ms", "1 waiting, 6 delivered"):
        assert words in shown


def test_the_newest_alerts_stay_on_the_screen() -> None:
    board = Board()
    for n in range(ROWS + 3):
        board.add(alert_row(alert(summary=f"number {n}."), None))
    shown = on_screen(board)
    assert "number 2." not in shown
    assert "number 3." in shown
    assert f"number {ROWS + 2}." in shown
    assert f"{ROWS + 3} alerts" in shown


def test_severity_has_a_colour_and_a_closed_alert_is_dim() -> None:
    stage = Stage(True)
    with stage.view:
        stage.view.alert(alert(severity="alarm"), 1.0)
        stage.view.tick()
        assert "\x1b[1;31malarm" in stage.text
        stage.view.alert(alert(severity="alarm", state="closed"), None)
        stage.view.tick()
    assert "\x1b[2mclosed" in stage.text


def test_plain_lines_come_as_alerts_come() -> None:
    stage = Stage(False)
    with stage.view:
        stage.view.alert(alert(), 44.4)
        first = stage.text
        stage.view.alert(alert(state="updated"), None)
        assert stage.text == first
        stage.view.alert(alert(state="closed"), None)
    lines = stage.text.splitlines()
    assert lines[0].startswith("03:02:01 warning  yard         loitering      person 1 stayed 8.1 s")
    assert lines[0].endswith("(limit 8 s) [44 ms]")
    assert lines[1].startswith("03:02:01 closed ")
    assert "\x1b" not in stage.text


def test_plain_status_comes_every_five_seconds() -> None:
    stage = Stage(False)
    stage.view.health(PARTS)
    for _ in range(60):
        stage.clock.advance(0.2)
        stage.view.tick()
    status = stage.text.splitlines()
    assert len(status) == 2
    assert "yard 10.0 fps, dock degraded, hall 31.2 chunks/s" in status[0]
    assert "outbox 1 waiting, 6 delivered" in status[0]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_summary_says_how_it_ended(is_terminal: bool) -> None:
    stage = Stage(is_terminal)
    stage.view.show_summary(SUMMARY)
    for words in (
        "crowd 1, loitering 2",
        "below 33 ms",
        "below 640 ms",
        "31 received",
        "0 lost",
        "demo-output",
    ):
        assert words in stage.text


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_summary_of_nothing(is_terminal: bool) -> None:
    stage = Stage(is_terminal)
    stage.view.show_summary(Summary({}, None, None, committed=3, received=1, folder="x"))
    for words in ("none", "not measured", "2 lost"):
        assert words in stage.text


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_screen_as_a_picture(tmp_path: Path, is_terminal: bool) -> None:
    stage = Stage(is_terminal)
    stage.view.health(PARTS)
    stage.view.alert(alert(severity="alarm"), 44.4)
    stage.view.show_summary(SUMMARY)
    stage.view.render_svg(tmp_path / "screen.svg")
    svg = (tmp_path / "screen.svg").read_text(encoding="utf-8")
    words = "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    assert "stayed 8.1 s in restricted" in words
    assert "31 received" in words
    assert "url(http" not in svg


def test_text_in_brackets_is_shown_as_it_is() -> None:
    """Names and reasons come from elsewhere; they are no markup."""
    stage = Stage(False)
    stage.view.alert(alert(summary="keyword [bold]help[/bold] heard", source="[red]"), None)
    assert "[bold]help[/bold]" in stage.text
    stage.view.show_summary(Summary({"[a]": 1}, None, None, 1, 1, folder="[b]"))
    assert "[a] 1" in stage.text
    assert "folder: [b]" in stage.text


def test_names_in_brackets_are_no_markup_on_the_screen() -> None:
    board = Board(sources=[SourceRow("[red]", "[c]", "degraded", "[/]", None, "[x]")])
    board.add(alert_row(alert(source="[d]", kind="[e]", summary="[f]"), None))
    shown = on_screen(board)
    assert shown.count("[red]") == 2
    for words in ("[c]", "[/]", "[x]", "[d]", "[e]", "[f]"):
        assert words in shown
