"""What the doctor prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.cli.doctor import _asked, _show
from edgeguard.runtime.doctor.finding import fault
from tests.cli.conftest import Type


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


def test_a_check_that_waits_for_a_configuration_is_not_unknown_where_that_is_refused(
    type_in: Type, tmp_path: Path
) -> None:
    result = type_in("doctor", tmp_path / "none.yaml", "--only", "model")
    assert result.exit_code == 2
    assert "there is no check model while the configuration is refused" in result.stderr
