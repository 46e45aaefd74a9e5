from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.config.secrets import masked_text, read_secret
from edgeguard.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("rtsp://u:p@h/s", "rtsp://***@h/s"),
        ("rtsp://u:p@ss@h/s", "rtsp://***@h/s"),
        ("rtsp://u:pa/ss@h/s", "rtsp://***@h/s"),
        ("rtsp://u:pa ss@h/s", "rtsp://***@h/s"),
        ("rtsp:/u:p@h/s", "rtsp:/***@h/s"),
        ("u:p@h/s", "***@h/s"),
        ("rtsp://h/s?pass=x&y=1", "rtsp://h/s?pass=***&y=1"),
        ("rtsp://h/bypass=1", "rtsp://h/bypass=1"),
        ("plain", "plain"),
    ],
)
def test_masking(text: str, masked: str) -> None:
    assert masked_text(text) == masked


@settings(deadline=None)
@given(st.text())
def test_nothing_before_an_at_survives(password: str) -> None:
    assert "hunter2" not in masked_text(f"rtsp://u:hunter2{password}@host/s")


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\n", b"hunter2\nsecond line\n"])
def test_a_secret_is_the_first_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert read_secret(path) == "hunter2"


@pytest.mark.parametrize("content", [b"", b"\n", b"hunter2\xff", b"hunter2" * 1000])
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_secret(path)
    assert str(path) in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_secret(tmp_path / "absent")
