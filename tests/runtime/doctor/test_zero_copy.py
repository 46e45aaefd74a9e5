"""The doctor on a box without a GPU, and its judgement on boxes that are there in fakes only."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from edgeguard.capture.frames import HostFrames
from edgeguard.capture.tiers import ELEMENTS, Makers, Tier, Tiers
from edgeguard.cli.main import app
from edgeguard.clock import ManualClock
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.runtime.doctor import libraries
from edgeguard.runtime.doctor.finding import fine, warning
from edgeguard.runtime.doctor.frames import judged
from edgeguard.runtime.doctor.layout import layout
from edgeguard.runtime.doctor.zero_copy import on_gpu
from edgeguard.types import Memory
from tests.support.surfaces import FakeJetson


@pytest.fixture
def tiers() -> Tiers:
    made = Tiers("yard", lambda: Makers(ELEMENTS, dict.fromkeys(Tier, HostFrames)), ManualClock())
    made.chain("h264")
    return made


def test_the_structures_are_right_here() -> None:
    assert layout().ok


def test_a_driver_is_described(cuda: CtypesCuda) -> None:
    found, opened = libraries.driver(lambda: cuda)
    assert (found.ok, opened) == (True, cuda)
    assert found.said == "Fake Orin, compute capability 8.7, CUDA 12.6 through ctypes"


def test_a_library_is_found_where_it_is() -> None:
    assert libraries.nvbufsurface([FakeJetson().nvbuf]).said.endswith("of version A")
    missing = libraries.nvbufsurface(["libnvbufsurface-that-is-not-there.so"])
    assert not missing.ok
    assert "JetPack" in missing.said
    assert missing.fix


def test_frames_that_never_touched_the_host_are_good(tiers: Tiers) -> None:
    tiers.ledger.count(frames=300, registrations=11, hits=289)
    found = judged({Memory.CUDA_ARRAY: 300}, tiers, 10.0)
    assert (found.ok, found.figures["registrations"], found.figures["frames_per_s"]) == (True, 11, 30.0)


@pytest.mark.parametrize(
    ("memories", "counted", "said"),
    [
        ({}, {}, "no frame came"),
        ({Memory.HOST: 300}, {}, "300 of 300 frames came through the host"),
        ({Memory.CUDA_ARRAY: 300}, {"d2h_bytes": 1}, "crossed between host and GPU"),
        ({Memory.CUDA_ARRAY: 300}, {"registrations": 300}, "not recognised again"),
    ],
)
def test_what_is_wrong_with_frames_is_said(
    tiers: Tiers, memories: dict[Memory, int], counted: dict[str, int], said: str
) -> None:
    tiers.ledger.count(**counted)
    found = judged(memories, tiers, 10.0)
    assert not found.ok
    assert said in found.said


def test_a_box_needs_driver_and_frames_and_not_both_kinds_of_libraries() -> None:
    good = [fine(check, "it is there") for check in ("layout", "driver", "frames")]
    assert on_gpu([*good, warning("egl", "none", "no display", "unset DISPLAY")])
    assert not on_gpu(good[:2])


def test_without_a_gpu_every_check_says_what_is_missing() -> None:
    """In a process of its own: this one may have a fake driver."""
    command = [sys.executable, "-m", "edgeguard", "doctor", "--zero-copy", "--frames", "20", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    said = json.loads(ended.stdout)
    checks = {one["check"]: one for one in said["checks"]}
    if checks["driver"]["ok"]:
        pytest.skip("this box has a GPU")
    assert not said["ok"]
    assert checks["layout"]["ok"]
    assert "models run on the CPU" in checks["driver"]["said"]
    assert "through the host" in checks["frames"]["said"]
    assert checks["frames"]["figures"]["memory"] == {"host": 20}
    assert checks["frames"]["figures"]["host_maps"] == 20


def test_a_camera_that_is_not_there_is_told() -> None:
    ended = CliRunner().invoke(app, ["doctor", "--zero-copy", "file:///no/such/clip.mp4"])
    assert ended.exit_code == 1
    assert "no/such/clip.mp4" in ended.stdout
