"""What happens to cameras in the field, on a real RTSP server: each with its own cause, and a way back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edgeguard.audio import GstAudioSource
from edgeguard.capture import GstFrameSource, Patience
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.media import MediaOptions
from edgeguard.types import Frame
from tests.support.broker import free_port
from tests.support.clips import make_clip
from tests.support.rtsp_process import RtspProcess

_SOON = Patience(connect_s=3.0, stall_s=1.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=3)


@pytest.fixture(scope="module")
def sounding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=3, tone_hz=440, size=(160, 120))


@contextmanager
def opened(url: str, fps: float = 60, **more: Any) -> Iterator[GstFrameSource]:
    source = GstFrameSource("gate", url, SystemClock(), fps, patience=_SOON, **more)
    try:
        source.open()
        yield source
    finally:
        source.close()


def frames(source: GstFrameSource, count: int) -> list[Frame]:
    taken: list[Frame] = []
    while len(taken) < count:
        if (frame := source.read(0.25)) is not None:
            taken.append(frame)
    return taken


def cause_of(url: str, **more: Any) -> tuple[str, str]:
    """The word and the sentence with which a camera fails."""
    with pytest.raises(SourceError) as caught, opened(url, **more) as source:
        frames(source, 10_000)
    return caught.value.cause, str(caught.value)


def test_each_fault_has_its_cause(clip: Path) -> None:
    assert cause_of(f"rtsp://127.0.0.1:{free_port()}/clip")[0] == "unreachable"
    with RtspProcess(clip, "--login", "guard:right") as server:
        cause, said = cause_of(server.url, options=MediaOptions("guard", "wrong"))
        assert cause == "refused_login"
        assert "password" in said
        assert cause_of(server.url.replace("/clip", "/other"), options=MediaOptions("guard", "right"))[0] in (
            "no_stream",
            "refused_login",
        )
    with RtspProcess(clip) as server:
        cause, said = cause_of(server.url.replace("/clip", "/other"))
        assert cause == "no_stream"
        assert "correct the path" in said


def test_a_camera_without_keyframes_is_told_from_one_that_gives_nothing(clip: Path) -> None:
    with RtspProcess(clip, "--no-keyframes") as server:
        cause, said = cause_of(server.url)
    assert cause == "undecodable"
    assert "no keyframe" in said


def test_one_that_takes_connections_and_says_nothing_is_connecting() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        cause, _ = cause_of(f"rtsp://127.0.0.1:{port}/clip")
    assert cause == "connecting"


def test_a_camera_that_changes_its_size_is_not_lost(clip: Path, sounding: Path) -> None:
    with RtspProcess(clip) as server, opened(server.url) as source:
        assert {(one.width, one.height) for one in frames(source, 3)} == {(322, 242)}
        server.kill9()
        server.show(sounding)
        with pytest.raises(SourceError):
            frames(source, 10_000)
        source.close()
        server.start()
        source.open()
        assert {(one.width, one.height) for one in frames(source, 3)} == {(160, 120)}


def test_size_and_times_may_change_in_the_middle_of_a_stream(tmp_path: Path) -> None:
    """Two recordings behind one another: at the seam the times jump back."""
    parts = []
    for number, size in enumerate([(322, 242), (160, 120)]):
        parts.append(tmp_path / f"{number}.ts")
        line = (
            f"gst-launch-1.0 -q videotestsrc num-buffers=30 ! video/x-raw,format=I420,width={size[0]},"
            f"height={size[1]},framerate=10/1 ! x264enc speed-preset=ultrafast key-int-max=10 ! mpegtsmux ! "
            f"filesink location={parts[-1]}"
        )
        subprocess.run(line.split(), check=True, timeout=60)
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    taken: list[Frame] = []
    with opened(both.as_uri(), realtime=False) as source, pytest.raises(EndOfStreamError):
        while True:
            taken += frames(source, 1)
    sizes = [(one.width, one.height) for one in taken]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes.count((322, 242)) >= 25
    assert sizes.count((160, 120)) >= 25
    assert all(one.planes[0].shape == (one.height, one.width) for one in taken)


def test_loss_on_the_network_costs_pictures_and_no_camera(clip: Path) -> None:
    with (
        RtspProcess(clip, "--lose", "0.1") as server,
        opened(server.url, options=MediaOptions(transport="udp", latency_ms=50)) as source,
    ):
        assert len(frames(source, 40)) == 40


def test_a_clip_without_sound_has_no_such_stream(clip: Path) -> None:
    source = GstAudioSource("hall", clip.as_uri(), SystemClock(), stall_s=5.0, realtime=False)
    source.open()
    with pytest.raises(SourceError, match="no such stream") as caught:
        while True:
            source.read(0.25)
    source.close()
    assert caught.value.cause == "no_stream"


def test_sound_that_comes_later_is_heard_then(clip: Path, sounding: Path) -> None:
    with RtspProcess(clip) as server:
        source = GstAudioSource("gate", server.url, SystemClock(), stall_s=1.0)
        source.open()
        with pytest.raises(SourceError) as caught:
            while True:
                source.read(0.25)
        assert caught.value.cause == "no_stream"
        source.close()
        server.kill9()
        server.show(sounding)
        server.start()
        source.open()
        while source.read(0.25) is None:
            pass
        source.close()


def test_a_clip_that_is_read_fast_and_again_goes_on_in_time(clip: Path) -> None:
    source = GstFrameSource("gate", clip.as_uri(), SystemClock(), 60, realtime=False)
    times = []
    for _ in range(3):
        source.open()
        with pytest.raises(EndOfStreamError):
            while True:
                times += [one.pts_ns for one in frames(source, 1)]
    source.close()
    assert len(times) == 3 * 30
    assert times == sorted(set(times))
