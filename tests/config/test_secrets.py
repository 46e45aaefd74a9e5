from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.config.secrets import masked_text, place_of, read_secret
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


def private(path: Path, content: bytes = b"hunter2") -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\n", b"hunter2\nsecond line\n"])
def test_a_secret_is_the_first_line(tmp_path: Path, content: bytes) -> None:
    assert read_secret(private(tmp_path / "secret", content)) == "hunter2"


@pytest.mark.parametrize("content", [b"", b"\n", b"hunter2\xff", b"hunter2" * 1000])
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes) -> None:
    path = private(tmp_path / "secret", content)
    with pytest.raises(ConfigError) as caught:
        read_secret(path)
    assert str(path) in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_secret(tmp_path / "absent")


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o644, 0o666])
def test_a_secret_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "secret")
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"other users can read or change it.*chmod 600 {path}"):
        read_secret(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_the_group_may_read_a_secret(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "secret")
    path.chmod(mode)
    assert read_secret(path) == "hunter2"


def test_what_systemd_laid_out_under_the_same_name_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "credentials"
    given.mkdir()
    path = private(tmp_path / "secret", b"on the disk")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert (place_of(path), read_secret(path)) == (path, "on the disk")
    private(given / "secret", b"from systemd")
    assert (place_of(path), read_secret(path)) == (given / "secret", "from systemd")
    assert read_secret(tmp_path / "not there" / "secret") == "from systemd"


def test_a_place_that_may_not_be_looked_at_is_a_fault_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ConfigError, match="Permission denied"):
        read_secret(tmp_path / "secret")
