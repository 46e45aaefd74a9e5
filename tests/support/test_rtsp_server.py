"""The RTSP server against a client of its own kind: GStreamer's rtspsrc."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeguard.capture import GstFrameSource
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.types import Frame
from tests.support.clips import make_clip

SECONDS, FPS = 2, 10


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "two.mp4", seconds=SECONDS, fps=FPS, tone_hz=440)


@contextmanager
def serving(clip: Path, *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.rtsp_server", str(clip), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[1]
        server.terminate()


def watch(url: str, count: int) -> list[Frame]:
    """The first frames, until there are `count` or the stream ends."""
    source = GstFrameSource("gate", url, SystemClock(), 60)
    frames: list[Frame] = []
    source.open()
    try:
        while len(frames) < count:
            frames += [frame for frame in [source.read(5)] if frame is not None]
    except (EndOfStreamError, SourceError):
        pass
    finally:
        source.close()
    return frames


def test_every_client_gets_the_clip_from_its_beginning_to_its_end(clip: Path) -> None:
    with serving(clip) as url:
        first, second = (watch(url, 100) for _ in range(2))
    assert min(len(first), len(second)) > 0.8 * SECONDS * FPS  # a newer frame may replace an older one


def test_a_looping_clip_goes_on_with_rising_times(clip: Path) -> None:
    with serving(clip, "--loop") as url:
        frames = watch(url, 25)
    times = [frame.pts_ns for frame in frames]
    assert len(times) == 25
    assert times == sorted(times)


def test_a_file_that_is_no_clip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no film")
    command = [sys.executable, "-m", "tests.support.rtsp_server", str(tmp_path / "no.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "cannot be read as mp4" in done.stderr
