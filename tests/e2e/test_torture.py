"""Device, broker and collector are killed twelve times while 2,000 alerts are told: none is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
TORTURE = Path(__file__).resolve().parents[2] / "tools/torture.py"


def test_kills_at_random_moments_lose_no_alert() -> None:
    command = [sys.executable, str(TORTURE), "--seed", "7", "--alerts", "2000", "--kills", "12", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    losses = {name: figures[name] for name in ("lost", "invented", "unexplained_gaps")}
    assert losses == {"lost": 0, "invented": 0, "unexplained_gaps": 0}
    assert figures["collected"] == figures["committed"] >= 1900
    assert sum(figures["kills"].values()) == 12
    assert done.returncode == 0
    assert figures["seconds"] < 50
