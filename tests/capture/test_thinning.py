"""What the decoder is spared changes nothing of what is given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.capture import GstFrameSource
from edgeguard.capture.source import RateGate
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError
from edgeguard.types import Frame


def clip_with_b_pictures(path: Path, encoder: str) -> Path:
    line = (
        "gst-launch-1.0 -q videotestsrc pattern=ball num-buffers=200 ! "
        f"video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! {encoder} ! mp4mux ! "
        f"filesink location={path}"
    )
    subprocess.run(line.split(), check=True, timeout=60)
    return path


def played(clip: Path, fps: float) -> tuple[list[Frame], GstFrameSource]:
    source = GstFrameSource("gate", clip.as_uri(), SystemClock(), fps, realtime=False)
    source.open()
    frames: list[Frame] = []
    with pytest.raises(EndOfStreamError):
        while True:
            if (frame := source.read(1.0)) is not None:
                frames.append(frame)
    source.close()
    return frames, source


@pytest.mark.parametrize(
    "encoder",
    [
        "x264enc speed-preset=medium key-int-max=50 bframes=3 b-pyramid=false ! h264parse",
        "x265enc speed-preset=fast key-int-max=50 ! h265parse",
    ],
    ids=["h264", "h265"],
)
def test_the_same_pictures_are_given_with_fewer_decoded(tmp_path: Path, encoder: str) -> None:
    clip = clip_with_b_pictures(tmp_path / "clip.mp4", encoder)
    every, source = played(clip, 25)
    assert len(every) == 200
    assert source.counters()["decodes_spared"] == 0
    some, source = played(clip, 5)
    gate = RateGate(5)
    wanted = [frame for frame in every if gate.passes(frame.media_ns or 0)]
    assert [frame.media_ns for frame in some] == [frame.media_ns for frame in wanted]
    for mine, other in zip(some, wanted, strict=True):
        assert np.array_equal(mine.planes[0], other.planes[0])
    assert int(source.counters()["decodes_spared"]) > 50


@given(
    st.sampled_from([5, 10, 12.5, 15, 25, 29.97, 30]),
    st.sampled_from([0.5, 1, 2, 5, 7, 10]),
    st.integers(0, 10**9),
)
def test_what_passes_would_have_been_picked(source_fps: float, fps: float, start_ns: int) -> None:
    frame_ns = round(1e9 / source_fps)
    gate = RateGate(fps)
    times = [start_ns + round(n * 1e9 / source_fps) for n in range(200)]
    assert gate.passes(times[0])
    picked = {time for time in times if gate.would_pick(time, frame_ns)}
    assert {time for time in times[1:] if gate.passes(time)} <= picked
    assert len(picked) <= 3 * len(times) * fps / source_fps + 3
