"""Clips of quiet cameras are what they say, and are made once."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from tests.support.clips import make_clip

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    import _gate_clips

    monkeypatch.setattr(_gate_clips, "CACHE", tmp_path / "cache")
    monkeypatch.setitem(sys.modules, "_gate_clips", _gate_clips)
    return _gate_clips


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_it_is_still_and_noisy_and_then_moves(maker: ModuleType, tmp_path: Path, codec: str) -> None:
    source = make_clip(tmp_path / "ball.mp4", seconds=2, fps=10)
    script = maker.Script(quiet_s=2.0, action_s=1.0, noise=8.0)
    path = maker.quiet_clip(source, script, maker.Recipe(codec, 1.0))
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while (read := capture.read())[0]:
        pictures.append(np.asarray(read[1], int))
    assert len(pictures) == 30
    apart = [np.percentile(np.abs(a - b), 99.5) for a, b in pairwise(pictures)]
    assert max(apart[:19]) < min(apart[20:])
    assert maker.quiet_clip(source, script, maker.Recipe(codec, 1.0)) == path
    assert [*(tmp_path / "cache").iterdir()] == [path]


def test_what_is_no_clip_says_so(maker: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("not a clip")
    with pytest.raises(ValueError, match=r"words.txt has no picture"):
        maker.quiet_clip(tmp_path / "words.txt", maker.Script(1.0), maker.Recipe())
    assert [*(tmp_path / "cache").iterdir()] == []
