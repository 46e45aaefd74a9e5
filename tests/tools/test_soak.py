"""Thirty disconnects and reconnects of a camera, and an hour of a site."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def test_a_camera_comes_back_from_every_fault_and_leaves_nothing_behind() -> None:
    command = [sys.executable, "tools/soak.py", "reconnect", "--cycles", "30", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["recovered"] == figures["cycles"] == 30
    assert figures["fd_growth"] <= 5
    assert figures["rss_growth_kib"] < 30_000
    assert figures["recovery_p99_s"] < 15


def test_an_hour_of_a_site_leaves_nothing_behind() -> None:
    command = [sys.executable, "tools/soak.py", "day", "--hours", "1", "--model-seconds", "0.5", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["hours"] == 1
    assert figures["chunks"] == 36_000 + 300
    assert figures["observations"] > 500
    assert 0 < figures["opened"] <= figures["alerts"] < figures["observations"]
    assert set(figures["real"]) == {"sounds", "speech"}
    assert figures["rss_growth_kib"] < 20_000
