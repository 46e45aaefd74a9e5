"""What the installer says before it does anything; tools/install_trial does the rest in a clean Debian."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
SUPPORTED = {("debian", "12"), ("debian", "13"), ("ubuntu", "22.04"), ("ubuntu", "24.04")}


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", DEPLOY / script, *words], capture_output=True, text=True, timeout=60)


def system() -> tuple[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return fields["ID"].strip('"'), fields.get("VERSION_ID", "").strip('"')


@pytest.mark.skipif(system() not in SUPPORTED, reason="the installer refuses this system")
def test_the_plan_names_what_will_be_done_and_does_nothing() -> None:
    answer = run("install.sh", "--plan")
    assert answer.returncode == 0, answer.stderr
    for promise in ("the user edgeguard", "/opt/edgeguard/releases/", "/etc/systemd/system", "nothing else"):
        assert promise in answer.stdout
    assert not list(Path("/opt").glob("edgeguard/releases/*.new"))


@pytest.mark.parametrize("script", ["install.sh", "uninstall.sh", "bundle"])
def test_an_unknown_option_is_refused(script: str) -> None:
    answer = run(script, "--yse")
    assert answer.returncode == 1
    assert "unknown option --yse" in answer.stderr


@pytest.mark.skipif(system() not in SUPPORTED, reason="the installer refuses this system")
def test_a_configuration_that_is_missing_is_told_before_anything_is_done(tmp_path: Path) -> None:
    answer = run("install.sh", "--plan", "--config", str(tmp_path / "none.yaml"))
    assert answer.returncode == 1
    assert "cannot read the configuration" in answer.stderr


def test_nothing_is_removed_without_a_yes() -> None:
    answer = run("uninstall.sh", "--plan", "--purge")
    assert answer.returncode == 0
    assert "cannot be undone" in answer.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--arch", "riscv64"], "--arch is aarch64 or x86_64"),
        (["--arch", "aarch64", "--python", "3.8"], "--python is 3.10, 3.11 or 3.12"),
        (["--arch", "aarch64", "--python", "3.10"], "--out says where"),
    ],
)
def test_a_bundle_for_nothing_is_refused(words: list[str], told: str) -> None:
    answer = run("bundle", *words)
    assert answer.returncode == 1
    assert told in answer.stderr
