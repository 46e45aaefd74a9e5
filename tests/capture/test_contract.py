"""What every frame source must do, run on each of them."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.capture import FrameSource, GstFrameSource, SceneFrameSource
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.types import Frame, PixelFormat
from edgeguard.vision.colour import bgr
from tests.support.clips import make_clip

SECONDS, FPS = 3, 10
Maker = Callable[..., FrameSource]


class Ramp:
    """A drawing that grows brighter with time."""

    def picture(self, t_s: float) -> NDArray[np.uint8]:
        return np.full((120, 160, 3), min(255, round(40 * t_s)), np.uint8)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    return {
        "h264": make_clip(folder / "clip.mp4", seconds=SECONDS, fps=FPS),
        "mjpeg": make_clip(folder / "clip.avi", seconds=SECONDS, fps=FPS, codec="mjpeg"),
    }


@pytest.fixture(params=["h264", "mjpeg", "scene"])
def make(request: pytest.FixtureRequest, clips: dict[str, Path]) -> Maker:
    def build(fps: float = FPS, realtime: bool = False) -> FrameSource:
        if request.param == "scene":
            return SceneFrameSource("gate", Ramp(), SystemClock(), fps, time.sleep, realtime=realtime)
        url = clips[request.param].as_uri()
        return GstFrameSource("gate", url, SystemClock(), fps, realtime=realtime)

    return build


def take(source: FrameSource, count: int) -> list[Frame]:
    frames: list[Frame] = []
    while len(frames) < count:
        frame = source.read(5.0)
        assert frame is not None
        frames.append(frame)
    return frames


def test_frames_come_in_order_with_times_and_the_right_shape(make: Maker) -> None:
    source = make()
    source.open()
    frames = take(source, 10)
    source.close()
    assert [frame.sequence for frame in frames] == list(range(10))
    assert {frame.source for frame in frames} == {"gate"}
    assert [round(frame.media_ns or 0, -6) for frame in frames] == [n * 100_000_000 for n in range(10)]
    steps = np.diff([frame.pts_ns for frame in frames])
    assert np.allclose(steps, 1e8, atol=2e6)
    assert np.allclose(np.diff([frame.utc_ns for frame in frames]), steps, atol=1e6)
    for frame in frames:
        assert frame.planes[0].shape[:2] == (frame.height, frame.width)
        assert bgr(frame).shape == (frame.height, frame.width, 3)


def test_the_analysis_rate_picks_frames_evenly(make: Maker) -> None:
    source = make(fps=2.5)
    source.open()
    frames = take(source, 5)
    source.close()
    assert [round((frame.media_ns or 0) / 1e6, -1) for frame in frames] == [0, 400, 800, 1200, 1600]
    if isinstance(source, GstFrameSource):
        assert int(source.counters()["frames_rate"]) >= 12, "three of four were left out, and counted"


def test_real_time_is_real_time(make: Maker) -> None:
    source = make(realtime=True)
    source.open()
    frames = take(source, 15)
    source.close()
    late_ns = [frame.arrived_ns - frame.pts_ns for frame in frames]
    assert max(late_ns) < 1_000_000_000
    assert frames[-1].arrived_ns - frames[0].arrived_ns > 500_000_000


def test_it_can_be_opened_again(make: Maker) -> None:
    source = make()
    source.open()
    first = take(source, 2)
    source.close()
    source.close()
    source.open()
    second = take(source, 2)
    source.close()
    assert second[0].sequence == first[-1].sequence + 1
    assert second[0].media_ns == 0


def test_reading_a_closed_source_is_an_error(make: Maker) -> None:
    with pytest.raises(SourceError, match="not open"):
        make().read(0.1)


@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
def test_a_clip_ends_after_its_last_frame_and_shows_what_another_decoder_shows(
    clips: dict[str, Path], codec: str
) -> None:
    source = GstFrameSource("gate", clips[codec].as_uri(), SystemClock(), FPS, realtime=False)
    source.open()
    other = cv2.VideoCapture(str(clips[codec]))
    for frame in take(source, SECONDS * FPS):
        _, picture = other.read()
        assert (frame.width, frame.height) == (322, 242)
        assert frame.format is PixelFormat.I420
        assert np.abs(bgr(frame).astype(int) - picture).mean() < 3
    with pytest.raises(EndOfStreamError):
        for _ in range(10):
            source.read(1.0)
    source.close()


def test_frames_outlive_their_source(clips: dict[str, Path]) -> None:
    source = GstFrameSource("gate", clips["h264"].as_uri(), SystemClock(), FPS, realtime=False)
    source.open()
    (frame,) = take(source, 1)
    before = frame.planes[0].copy()
    plane = frame.planes[0]
    del frame
    take(source, 20)
    source.close()
    gc.collect()
    assert np.array_equal(plane, before)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///nowhere/clip.mp4", "nowhere"),
        ("rtsp://user:hunter2@127.0.0.1:9/none", "onnect"),
        ("gopher://example/", "known are"),
        ("v4l2:///dev/video99", "/dev/video99"),
    ],
)
def test_what_cannot_be_opened_says_so_and_keeps_secrets(url: str, said: str) -> None:
    source = GstFrameSource("gate", url, SystemClock())
    with pytest.raises(SourceError, match=said) as caught:
        source.open()
        for _ in range(100):
            source.read(0.2)
    source.close()
    assert "hunter2" not in str(caught.value)


def test_a_file_without_a_picture_says_so(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(os.urandom(5000))
    source = GstFrameSource("gate", path.as_uri(), SystemClock())
    with pytest.raises(SourceError):
        source.open()
        for _ in range(100):
            source.read(0.2)
    source.close()


def test_opening_and_closing_leaks_neither_threads_nor_files(clips: dict[str, Path]) -> None:
    def cycle() -> None:
        source = GstFrameSource("gate", clips["h264"].as_uri(), SystemClock(), FPS, realtime=False)
        source.open()
        take(source, 1)
        source.close()

    def held() -> tuple[int, int]:
        gc.collect()
        return len([*Path("/proc/self/fd").iterdir()]), len([*Path("/proc/self/task").iterdir()])

    for _ in range(3):
        cycle()
    files, threads = held()
    for _ in range(15):
        cycle()
    assert held()[0] - files < 15, "a file descriptor or more is left behind each time"
    assert held()[1] - threads < 15
