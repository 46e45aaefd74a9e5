from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.config.environment import local_timezone, overrides


def test_nothing_said() -> None:
    assert overrides({}) == []
    assert overrides({"EDGEGUARD_MODELS": "", "EDGEGUARD_SITE": "x", "HOME": "/root"}) == []


def test_folders_are_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    said = {"EDGEGUARD_STATE_DIR": "/s", "EDGEGUARD_MODELS": "m", "EDGEGUARD_MIRROR": "../usb"}
    assert dict(overrides(said)) == {
        ("state_dir",): "/s",
        ("models", "dir"): str(tmp_path / "m"),
        ("models", "mirrors"): [str(tmp_path / ".." / "usb")],
    }


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/usr/share/zoneinfo/Europe/Zurich", "Europe/Zurich"),
        ("/usr/share/zoneinfo/posix/Asia/Tokyo", "Asia/Tokyo"),
        ("/etc/nothing", "UTC"),
    ],
)
def test_the_machines_time_zone(tmp_path: Path, target: str, name: str) -> None:
    link = tmp_path / "localtime"
    link.symlink_to(target)
    assert local_timezone(link) == name


def test_a_machine_without_a_time_zone(tmp_path: Path) -> None:
    assert local_timezone(tmp_path / "absent") == "UTC"
