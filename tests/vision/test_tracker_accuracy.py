"""The bench of the tracker: on a walk made by hand, and against real truth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trackeval")
BENCH = Path(__file__).resolve().parents[2] / "tools" / "bench.py"


def bench(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH), "tracker", "--data", str(data), "--passes", "1", *options],
        capture_output=True,
        text=True,
        check=False,
    )


def figures(data: Path, *options: str) -> dict[str, float]:
    done = bench(data, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Two walkers, detected faultlessly for 20 frames; after the truth ends, the detector sees a third."""
    truth, detected = [], []
    for frame in range(1, 21):
        for number, x in enumerate((20 + 4 * frame, 300 - 4 * frame), start=1):
            truth.append(f"{frame},{number},{x},50,30,80,1,-1,-1,-1")
            detected.append(f"{frame},-1,{x},50,30,80,{90 - number},-1,-1,-1")
    detected.append("25,-1,500,50,30,80,40,-1,-1,-1")
    for name, lines in (("gt", truth), ("det", detected)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("\n".join(lines))
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nimWidth=640\nimHeight=200\n")
    return tmp_path


def test_a_faultless_detector_is_followed_faultlessly(walk: Path) -> None:
    got = figures(walk, "--json")
    assert (got["mota"], got["idf1"]) == (1, 1)
    assert got["hota"] > 0.9
    assert got["us_per_frame"] > 0


def test_only_the_last_line_is_for_machines(walk: Path) -> None:
    *lines, last = bench(walk).stdout.splitlines()
    assert "mota: 1.0" in lines
    assert json.loads(last)["mota"] == 1
    assert len(bench(walk, "--json").stdout.splitlines()) == 1


def test_missed_frames_cost_accuracy(walk: Path) -> None:
    file = walk / "det" / "det.txt"
    file.write_text("".join(line for line in file.open() if not line.startswith(("5,", "6,", "7,", "8,"))))
    assert figures(walk)["mota"] == pytest.approx(0.8)


def test_a_folder_without_truth_is_explained(tmp_path: Path) -> None:
    done = bench(tmp_path)
    assert done.returncode != 0
    assert "MOT sequence" in done.stderr


@pytest.mark.parametrize(
    ("name", "fps", "scores", "mota", "idf1"),
    [
        ("TUD-Stadtmitte", "25", "stretched", 0.73, 0.79),
        ("TUD-Stadtmitte", "25", "raw", 0.72, 0.79),
        ("PETS09-S2L1", "7", "stretched", 0.54, 0.59),
    ],
)
def test_real_walkers_with_public_detections(
    mirror: Path, name: str, fps: str, scores: str, mota: float, idf1: float
) -> None:
    got = figures(mirror / "data" / "gt" / "mot" / name, "--fps", fps, "--scores", scores)
    assert got["mota"] >= mota
    assert got["idf1"] >= idf1
