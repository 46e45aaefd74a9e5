"""Motion told from sizes: of real encoded clips, and of invented streams."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.capture.activity import ActivityMeter
from edgeguard.capture.pictures import Picture, PictureReader
from edgeguard.gst import Pipeline

FPS, GOP, QUIET_S, MOVING_S = 10, 20, 12, 4
SIZE = (320, 240)
ENCODERS = {
    "h264": f"x264enc key-int-max={GOP} bframes=0 pass=qual quantizer=26 option-string=scenecut=0",
    "h265": f"x265enc key-int-max={GOP} speed-preset=ultrafast option-string=bframes=0:crf=28:scenecut=0",
}


def noisy_clip(path: Path, codec: str) -> Path:
    """A still room with a sensor's noise; then a box of a person's size walks through it."""
    rng = np.random.default_rng(5)
    room = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    raw = bytearray()
    for number in range((QUIET_S + MOVING_S) * FPS):
        picture = room.astype(np.float32)
        if (step := number - QUIET_S * FPS) >= 0:
            picture[90:160, 5 * step : 5 * step + 25] = (40, 80, 160)
        raw += np.clip(picture + rng.normal(0, 3, (*SIZE[::-1], 1)), 0, 255).astype(np.uint8).tobytes()
    caps = f"video/x-raw,format=BGR,width={SIZE[0]},height={SIZE[1]},framerate={FPS}/1"
    line = (
        f"gst-launch-1.0 -q fdsrc ! rawvideoparse use-sink-caps=false format=bgr width={SIZE[0]} "
        f"height={SIZE[1]} framerate={FPS}/1 ! {caps} ! videoconvert ! {ENCODERS[codec]} ! {codec}parse ! "
        f"matroskamux ! filesink location={path}"
    )
    subprocess.run(line.split(), check=True, timeout=60, input=bytes(raw))
    return path


def active_at(path: Path, codec: str) -> list[bool]:
    """Of every packet, whether the stream is active with it."""
    pipeline = Pipeline("packets")
    sink = pipeline.add_appsink(sync=False, lossless=True)
    demux, parse = pipeline.add("matroskademux"), pipeline.add(f"{codec}parse")
    caps = pipeline.add_caps(f"video/x-{codec},stream-format=byte-stream,alignment=au")
    pipeline.link(pipeline.add("filesrc", location=str(path)), demux)
    pipeline.link(parse, caps, sink.element)
    demux.connect("pad-added", lambda _demux, pad: pad.link(parse.get_static_pad("sink")))
    pipeline.play()
    meter, reader, found = ActivityMeter(), PictureReader(codec), []
    while (sample := sink.pull(5.0)) is not None:
        data = sample.map().bytes().tobytes()
        found.append(meter.add(reader.read(data), len(data), len(found) % GOP == 0))
    pipeline.stop()
    return found


@pytest.mark.parametrize("codec", list(ENCODERS))
def test_a_walker_is_noticed_at_once_and_noise_is_not(codec: str, tmp_path: Path) -> None:
    active = active_at(noisy_clip(tmp_path / "clip.mkv", codec), codec)
    begins = QUIET_S * FPS
    assert not any(active[:begins])
    assert any(active[begins : begins + FPS])
    assert all(active[begins + FPS : -FPS])


def stream(meter: ActivityMeter, sizes: list[float], gop: int = 25) -> list[bool]:
    return [
        meter.add(
            Picture("i" if n % gop == 0 else "p"), round(size * (20 if n % gop == 0 else 1)), n % gop == 0
        )
        for n, size in enumerate(sizes)
    ]


@given(st.integers(0, 2**31), st.floats(100, 50_000), st.floats(0.01, 0.3), st.floats(2.5, 20))
@settings(max_examples=40)
def test_a_few_large_pictures_are_activity_at_any_rate(
    seed: int, usual: float, wavers: float, louder: float
) -> None:
    dice = random.Random(seed)
    meter = ActivityMeter()
    quiet = [usual * dice.lognormvariate(0, wavers) for _ in range(500)]
    assert sum(stream(meter, quiet)) <= 25
    assert any(stream(meter, [usual * louder * dice.lognormvariate(0, wavers) for _ in range(12)]))


@given(
    st.lists(st.tuples(st.integers(0, 2**31), st.booleans(), st.none() | st.integers(0, 51)), max_size=300)
)
def test_whatever_comes_it_stays_within_its_bounds(pictures: list[tuple[int, bool, int | None]]) -> None:
    meter = ActivityMeter()
    for size, keyframe, qp in pictures:
        meter.add(Picture("p", qp=qp), size, keyframe)
        assert 0 <= meter.surplus <= 14
        assert meter.waver_bytes >= 0


def test_night_that_falls_slowly_is_no_activity() -> None:
    dice = random.Random(1)
    sizes = [400 * 2 ** (2 * n / 9000) * dice.lognormvariate(0, 0.15) for n in range(9000)]
    assert sum(stream(ActivityMeter(), sizes)) <= 60


def test_what_was_learnt_in_a_crowd_is_unlearnt_when_it_has_gone() -> None:
    dice = random.Random(2)
    meter = ActivityMeter()
    stream(meter, [6000 * dice.lognormvariate(0, 0.3) for _ in range(250)])
    stream(meter, [300 * dice.lognormvariate(0, 0.15) for _ in range(1500)])
    assert any(stream(meter, [1500 * dice.lognormvariate(0, 0.15) for _ in range(12)]))


def test_a_constant_rate_pays_for_motion_in_quality_and_is_heard_by_the_quantiser() -> None:
    meter = ActivityMeter()
    for n in range(500):
        meter.add(Picture("i" if n % 25 == 0 else "p", qp=26), 4000, n % 25 == 0)
    assert any(meter.add(Picture("p", qp=34), 4000, keyframe=False) for _ in range(12))


def test_one_that_has_just_begun_cannot_tell() -> None:
    meter = ActivityMeter()
    stream(meter, [300.0] * 10)
    assert not meter.ready
    assert meter.waver_bytes == float("inf")
    stream(meter, [300.0] * 40)
    assert meter.ready
    meter.forget()
    assert not meter.ready
