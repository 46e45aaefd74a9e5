"""Thirty disconnects and reconnects of a camera, of every kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
