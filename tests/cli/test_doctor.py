"""What the doctor prints."""

from __future__ import annotations

import pytest

from edgeguard.cli.doctor import _asked, _show
from edgeguard.runtime.doctor.finding import fault


def test_what_others_said_is_neither_markup_nor_a_command_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _show(fault("camera", "404 \x1b[2J\x1b]0;pwned\x07", "[red]x", "f", "/data/[a]/[/b].yaml"))
    shown = capsys.readouterr().out
    assert "/data/[a]/[/b].yaml" in shown
    assert "[red]x" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("name", "look"), [("clock", "clock"), ("rtc", "clock"), ("governor", "power"), ("tensorrt", "gpu")]
)
def test_every_name_that_is_shown_can_be_asked_for(name: str, look: str) -> None:
    assert [check.name for check in _asked(None, None, [name])] == [look]
