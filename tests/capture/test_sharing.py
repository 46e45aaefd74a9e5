"""Picture and sound of a camera over one connection."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from edgeguard.audio import SharedAudioSource
from edgeguard.capture import GstFrameSource, Patience
from edgeguard.clock import SystemClock
from edgeguard.errors import SourceError
from edgeguard.media import SoundTap
from edgeguard.types import AudioChunk
from tests.support.clips import make_clip
from tests.support.rtsp_process import RtspProcess


class Watched:
    """A camera on a thread of its own, as in the daemon."""

    def __init__(self, url: str, tap: SoundTap) -> None:
        self.frames = 0
        self.source = GstFrameSource("gate", url, SystemClock(), 60, patience=Patience(stall_s=1.0), tap=tap)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.source.open()
        try:
            while not self._stop.is_set():
                self.frames += self.source.read(0.1) is not None
        except SourceError:
            pass
        self.source.close()

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)


def heard(source: SharedAudioSource, count: int, within_s: float = 15.0) -> list[AudioChunk]:
    chunks: list[AudioChunk] = []
    deadline_s = time.monotonic() + within_s
    while len(chunks) < count and time.monotonic() < deadline_s:
        if (chunk := source.read(0.25)) is not None:
            chunks.append(chunk)
    return chunks


def loudest_hz(chunks: list[AudioChunk]) -> float:
    samples = np.concatenate([chunk.samples for chunk in chunks])
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 16_000 / len(samples))


def test_the_microphone_hears_over_the_cameras_connection(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=3, tone_hz=440)
    tap = SoundTap()
    with RtspProcess(clip) as server:
        source = SharedAudioSource("gate", server.url, SystemClock(), tap, time.sleep, stall_s=5.0)
        source.open()
        assert source.read(0.1) is None
        with Watched(server.url, tap) as camera:
            chunks = heard(source, 15)
            assert len(chunks) == 15
            assert abs(loudest_hz(chunks) - 440) < 5
            assert abs(chunks[-1].pts_ns - SystemClock().monotonic_ns()) < 3e9
            assert camera.frames > 5
        with pytest.raises(SourceError, match="which the camera shares"):
            heard(source, 1000)
        source.close()
        source.open()
        with Watched(server.url, tap):
            assert len(heard(source, 5)) == 5
        source.close()


def test_a_camera_without_sound_is_seen_and_not_heard(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=3)
    tap = SoundTap()
    with RtspProcess(clip) as server, Watched(server.url, tap) as camera:
        source = SharedAudioSource("gate", server.url, SystemClock(), tap, time.sleep, stall_s=1.0)
        source.open()
        with pytest.raises(SourceError) as caught:
            heard(source, 1)
        source.close()
        assert caught.value.cause == "connecting"
        assert camera.frames > 3
