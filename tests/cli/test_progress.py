from __future__ import annotations

import pytest

from edgeguard.cli._progress import progress


def test_elsewhere_than_on_a_terminal_a_file_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress() as show:
        for done in range(0, 1001, 7):
            show("m.onnx", done, 1000)
        show("m.onnx", 1000, 1000)
        show("unknown.bin", 10, None)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [f"m.onnx: {percent} %" for percent in range(10, 101, 10)]


def test_on_a_terminal_it_is_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress() as show:
        show("m.onnx", 500_000, 1_000_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert "m.onnx" in err
    assert "0.5/1.0 MB" in err


def test_where_nothing_is_fetched_nothing_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress():
        pass
    assert capsys.readouterr() == ("", "")
