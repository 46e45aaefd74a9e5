"""What is told of a picture's way into the daemon."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeguard.capture import GstFrameSource, feed
from edgeguard.capture.way import Way
from edgeguard.clock import SystemClock
from edgeguard.gst import Pipeline, available, ntp_utc_ns
from edgeguard.types import Frame, Packet
from tests.support.clips import make_clip
from tests.support.rtsp_process import RtspProcess

S = 10**9


def test_a_picture_has_the_times_of_its_packet() -> None:
    way = Way()
    way.note(1, 10 * S, 9 * S)
    way.note(2, 11 * S, None)
    assert way.of(1) == (9 * S, 10 * S)
    assert way.of(2) == (None, 11 * S)
    assert way.of(3) == way.of(None) == (None, None)


@pytest.mark.parametrize("sensor_ns", [10 * S + 1, -1, 10 * S - 10_000_000_001])
def test_a_camera_whose_clock_is_wrong_is_not_believed(sensor_ns: int) -> None:
    way = Way()
    way.note(1, 10 * S, sensor_ns)
    assert way.of(1) == (None, 10 * S)


def test_what_is_remembered_is_bounded_and_ends_with_the_connection() -> None:
    way = Way()
    for running_ns in range(1000):
        way.note(running_ns, running_ns, None)
    assert way.of(0) == (None, None)
    assert way.of(999) == (None, 999)
    way.clear()
    assert way.of(999) == (None, None)


def test_a_camera_in_the_network_tells_by_its_own_clock_when_it_took_a_picture(tmp_path: Path) -> None:
    """The server here has the clock of this machine; before its first sender report it tells nothing."""
    clip = make_clip(tmp_path / "clip.mp4", seconds=3)
    with RtspProcess(clip) as server:
        source = GstFrameSource("gate", server.url, SystemClock(), 30)
        source.open()
        frames: list[Frame] = []
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (frames and frames[-1].sensor_ns):
            if (frame := source.read(0.5)) is not None:
                frames.append(frame)
        source.close()
    for frame in frames:
        assert frame.received_ns is not None
        assert 0 < frame.received_ns <= frame.arrived_ns
    last = frames[-1]
    if not _tells_senders_time():
        assert last.sensor_ns is None
        return
    assert last.sensor_ns is not None
    assert last.received_ns is not None
    assert 0 <= last.received_ns - last.sensor_ns < 2 * S


def _tells_senders_time() -> bool:
    source = Pipeline("asked").add("rtspsrc")
    return source.find_property("add-reference-timestamp-meta") is not None


@pytest.mark.skipif("videotestsrc" not in available({"videotestsrc"}), reason="no videotestsrc")
def test_the_time_stamps_of_a_device_are_those_of_the_monotonic_clock() -> None:
    pipeline = Pipeline("device")
    sink = pipeline.add_appsink(sync=False, lossless=False)
    pipeline.link(pipeline.add("videotestsrc", is_live=True), sink.element)
    assert pipeline.monotonic_ns(0) is None, "it does not play yet"
    pipeline.play()
    began_ns = time.monotonic_ns()
    try:
        while (sample := sink.pull(1.0)) is None:
            pass
        taken_ns = pipeline.monotonic_ns(sample.running_ns)
        assert taken_ns is not None
        assert began_ns - 2 * S < taken_ns <= time.monotonic_ns() + S // 10
        assert pipeline.monotonic_ns(None) is None
        assert ntp_utc_ns(sample.buffer) is None
    finally:
        pipeline.stop()


def test_the_time_of_a_device_is_ours_after_a_suspend_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "slept_ns", lambda: 3600 * S)
    of_device = object.__new__(feed.Feed)
    monkeypatch.setattr(of_device, "_scheme", "v4l2", raising=False)
    pipeline = SimpleNamespace(monotonic_ns=lambda running_ns: running_ns)
    monkeypatch.setattr(of_device, "_pipeline", pipeline, raising=False)
    assert of_device.taken_ns(Packet(5 * S, None, 0, 0, keyframe=True, buffer=None)) == 3605 * S
