from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeguard.config.environment import (
    credentials_folder,
    local_timezone,
    overrides,
    stand_in_for_systemd,
)


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read what systemd hands out")
def test_root_finds_the_secrets_beside_an_installed_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    stand_in_for_systemd(tmp_path / "edgeguard.yaml")
    assert credentials_folder() is None
    (tmp_path / "credentials").mkdir()
    stand_in_for_systemd(tmp_path / "edgeguard.yaml")
    assert credentials_folder() == tmp_path / "credentials"
    (tmp_path / "other" / "credentials").mkdir(parents=True)
    stand_in_for_systemd(tmp_path / "other" / "edgeguard.yaml")
    assert credentials_folder() == tmp_path / "credentials", "what systemd gave stays"
