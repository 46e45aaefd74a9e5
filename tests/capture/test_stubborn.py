"""Live cameras that misbehave while packets go on coming: they are seen on, or opened anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeguard.capture import ActivityGate, Gate, GstFrameSource, Patience, gst_source
from edgeguard.capture.decoding import Decoding
from edgeguard.capture.feed import Feed, Stream
from edgeguard.capture.ring import EncodedRing
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.gst.binding import load
from edgeguard.types import Packet
from tests.support.clips import make_clip

Edit = Callable[[int, Packet], Packet]
FPS = 10


class EditedFeed:
    """A clip as if a camera sent it, each packet edited."""

    def __init__(self, feed: Feed, edit: Edit) -> None:
        self._feed = feed
        self._edit = edit
        self._number = 0
        self._stream: Stream | None = None
        self._given: Stream | None = None

    def pull(self, timeout_s: float) -> tuple[Packet, Stream] | None:
        try:
            pulled = self._feed.pull(timeout_s)
        except EndOfStreamError:
            raise SourceError("the clip is over", "broken") from None
        return None if pulled is None else self._edited(*pulled)

    def waiting(self) -> tuple[Packet, Stream] | None:
        pulled = self._feed.waiting()
        return None if pulled is None else self._edited(*pulled)

    def _edited(self, packet: Packet, stream: Stream) -> tuple[Packet, Stream]:
        self._number += 1
        return self._edit(self._number, packet), self._open_ended(stream)

    def ask_for_keyframe(self) -> None:
        """It has none."""

    def taken_ns(self, packet: Packet) -> int | None:
        return self._feed.taken_ns(packet)

    def close(self) -> None:
        self._feed.close()

    def _open_ended(self, stream: Stream) -> Stream:
        """A clip's times end with it."""
        if stream is not self._stream or self._given is None:
            segment = load()[0].Segment()
            segment.init(load()[0].Format.TIME)
            self._stream, self._given = stream, replace(stream, segment=segment)
        return self._given


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def camera(clip: Path, edit: Edit, gate: Gate | None = None) -> Iterator[GstFrameSource]:
        def feed(name: str, _url: str, clock: Any, _realtime: bool, *rest: Any) -> EditedFeed:
            return EditedFeed(Feed(name, clip.as_uri(), clock, True, *rest), edit)

        monkeypatch.setattr(gst_source, "Feed", feed)
        patience = Patience(connect_s=3.0, stall_s=1.0)
        source = GstFrameSource("gate", "rtsp://cam/1", SystemClock(), FPS, patience=patience, gate=gate)
        source.open()
        yield source
        source.close()

    return camera


def until_it_fails(source: GstFrameSource) -> tuple[list[float], SourceError]:
    """When frames came, and the end."""
    begin_s, came = time.monotonic(), []
    with pytest.raises(SourceError) as caught:
        while True:
            if source.read(0.25) is not None:
                came.append(time.monotonic() - begin_s)
    return came, caught.value


def stamped(packet: Packet, time_ns: int) -> Packet:
    buffer: Any = packet.buffer
    buffer = buffer.copy()
    buffer.pts = time_ns
    return replace(packet, running_ns=time_ns, buffer=buffer)


def test_pictures_of_their_own_are_seen_though_their_times_stand_still(watch: Any, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.avi", seconds=4, codec="mjpeg", fps=FPS)
    still = 500_000_000
    with watch(clip, lambda n, packet: stamped(packet, still) if n > 5 else packet) as source:
        came, _ = until_it_fails(source)
    assert sum(at_s > 2.0 for at_s in came) >= 15
    assert source.counters()["timestamp_stops"] == 1


def test_a_decoder_that_fell_and_finds_no_keyframe_costs_the_connection(
    watch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=4, fps=FPS)
    pushed, push = [], Decoding.push

    def falls_once(self: Decoding, packet: Packet) -> None:
        pushed.append(packet)
        if len(pushed) == 8:
            raise SourceError("the decoder died")
        push(self, packet)

    monkeypatch.setattr(Decoding, "push", falls_once)
    with watch(clip, lambda n, packet: replace(packet, keyframe=n == 1)) as source:
        came, error = until_it_fails(source)
    assert came[-1] < 1.0
    assert error.cause == "undecodable"
    assert "no keyframe" in str(error)


class Busy(ActivityGate):
    """There is always something."""

    def _may_close(self, now_ns: int, ring: EncodedRing) -> bool:
        return False


def test_times_that_go_back_do_not_blind_a_camera_with_an_open_gate(watch: Any, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=4, fps=FPS)
    hour = 3_600_000_000_000

    def goes_back(number: int, packet: Packet) -> Packet:
        return stamped(packet, (packet.running_ns or 0) + (hour if number <= 15 else 0))

    with watch(clip, goes_back, Busy(lambda _packet: b"")) as source:
        came, _ = until_it_fails(source)
    assert sum(at_s > 2.6 for at_s in came) >= 8


class Flood(EditedFeed):
    """Whenever it is asked it has another packet."""

    def waiting(self) -> tuple[Packet, Stream] | None:
        return self.pull(5.0) if self._number < 5 else (self._last, self._stream_last)

    def _edited(self, packet: Packet, stream: Stream) -> tuple[Packet, Stream]:
        self._last, self._stream_last = super()._edited(packet, stream)
        return self._last, self._stream_last


def test_a_camera_that_sends_without_a_pause_is_decoded_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=2, fps=FPS)

    def feed(name: str, _url: str, clock: Any, _realtime: bool, *rest: Any) -> Flood:
        return Flood(Feed(name, clip.as_uri(), clock, True, *rest), lambda _n, packet: packet)

    monkeypatch.setattr(gst_source, "Feed", feed)
    source = GstFrameSource("gate", "rtsp://cam/1", SystemClock(), FPS)
    source.open()
    reading = threading.Thread(target=lambda: source.read(5.0), daemon=True)
    reading.start()
    reading.join(10)
    assert not reading.is_alive()
    source.close()
