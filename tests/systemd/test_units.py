"""The units, as systemd's own tools judge them."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
TIMERS = sorted(FOLDER.glob("*.timer"))
MOST_EXPOSED = "20"
"""Tenths of systemd's exposure level: a service without any protection has 96."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("no systemd-analyze here")
    return subprocess.run([tool, *words], capture_output=True, text=True)


@pytest.fixture(params=SERVICES, ids=lambda path: path.name)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit with a program that is there: only root can put one into /opt."""
    path = tmp_path / request.param.name
    text = request.param.read_text()
    path.write_text(text.replace("/opt/edgeguard/bin/edgeguard", shutil.which("true") or "/bin/true"))
    return path


def test_systemd_takes_it_without_a_word(unit: Path) -> None:
    answer = analyze("verify", "--man=no", str(unit))
    said = [line for line in answer.stderr.splitlines() if unit.name in line]
    assert (answer.returncode, said) == (0, [])


@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.name)
def test_systemd_takes_each_timer_and_its_service(path: Path, tmp_path: Path) -> None:
    for one in (path, path.with_suffix(".service")):
        text = one.read_text().replace("/opt/edgeguard/bin/edgeguard", shutil.which("true") or "/bin/true")
        (tmp_path / one.name).write_text(text)
    answer = analyze("verify", "--man=no", str(tmp_path / path.name))
    said = [line for line in answer.stderr.splitlines() if path.stem in line]
    assert (answer.returncode, said) == (0, [])


def test_what_is_kept_is_held_to_its_bounds_every_hour() -> None:
    timer = read("edgeguard-retention.timer")
    assert timer["Timer"]["OnCalendar"] == "hourly"
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert " prune " in read("edgeguard-retention.service")["Service"]["ExecStart"]


def test_a_drill_is_held_only_if_one_is_due_and_the_guard_runs() -> None:
    assert read("edgeguard-drill.service")["Service"]["ExecStart"].endswith(" --if-due")
    assert read("edgeguard-drill.service")["Unit"]["ConditionPathIsDirectory"] == "/run/edgeguard"
    assert read("edgeguard.service")["Service"]["RuntimeDirectory"] == "edgeguard"
    assert read("edgeguard-drill.timer")["Install"]["WantedBy"] == "timers.target"


def test_it_is_hardly_exposed(unit: Path) -> None:
    answer = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit))
    if "Unknown" in answer.stderr or "unrecognized" in answer.stderr:
        pytest.skip("this systemd cannot judge a unit that is not loaded")
    assert answer.returncode == 0, answer.stdout.splitlines()[-1:]


def read(name: str) -> configparser.RawConfigParser:
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FOLDER / name)
    return unit


def test_the_daemon_is_watched_and_started_again_but_not_for_a_wrong_configuration() -> None:
    service = read("edgeguard.service")["Service"]
    assert read("edgeguard.service")["Unit"]["StartLimitIntervalSec"] == "0"  # it is never given up
    assert service["Type"] == "notify"
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == "78"
    assert float(service["WatchdogSec"]) >= 20


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_every_key_is_known_to_the_oldest_systemd_that_is_supported(path: Path) -> None:
    """JetPack 6 brings systemd 249; what came later would be ignored there without a word."""
    later = {"RestartSteps", "RestartMaxDelaySec", "LoadCredentialEncrypted", "MemoryPressureWatch", "NFTSet"}
    keys = set(re.findall(r"^(\w+)=", path.read_text(), re.MULTILINE))
    assert not keys & later
    assert "notify-reload" not in path.read_text()


def test_the_daemon_may_ask_about_the_clock_and_not_set_it() -> None:
    """Without the answer every alert would say that nothing is known of its times."""
    text = (FOLDER / "edgeguard.service").read_text()
    filters = re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE)
    assert filters[-1].split() == ["adjtimex", "clock_adjtime"]  # after `~@privileged`, which has both
    assert "\nProtectClock=yes" not in text  # a filter of its own, which wins
    assert "\nCapabilityBoundingSet=\n" in text


def test_its_user_is_of_the_groups_that_the_devices_have() -> None:
    members = re.findall(
        r"^m edgeguard (\w+)$", (FOLDER / "edgeguard.sysusers.conf").read_text(), re.MULTILINE
    )
    assert members == ["video", "render", "audio"]


def test_users_and_folders_are_as_systemd_reads_them(tmp_path: Path) -> None:
    sysusers, tmpfiles = shutil.which("systemd-sysusers"), shutil.which("systemd-tmpfiles")
    if sysusers is None or tmpfiles is None:
        pytest.skip("no systemd-sysusers or systemd-tmpfiles here")
    (tmp_path / "etc").mkdir()
    for file in ("passwd", "group"):
        (tmp_path / "etc" / file).write_text("")
    root = f"--root={tmp_path}"
    made = subprocess.run(
        [sysusers, root, FOLDER / "edgeguard.sysusers.conf"], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert "edgeguard:" in (tmp_path / "etc/passwd").read_text()
    made = subprocess.run(
        [tmpfiles, root, "--create", FOLDER / "edgeguard.tmpfiles.conf"], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "etc/edgeguard/credentials").stat().st_mode & 0o777 == 0o700


def test_no_unit_opens_the_folders_of_the_other() -> None:
    """Each start sets the mode of the folder that they share."""
    modes = {read(path.name)["Service"]["StateDirectoryMode"] for path in SERVICES}
    assert modes == {"0750"}
