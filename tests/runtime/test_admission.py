"""Frames that the pacer keeps out, and frames that the channel has no room for."""

from __future__ import annotations

from edgeguard.clock import ManualClock
from edgeguard.runtime.admission import Admission
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.pacing import Pacer, Wish
from edgeguard.types import Frame
from tests.support.pictures import grey


def overloaded(clock: ManualClock) -> Pacer:
    pacer = Pacer({"gate": Wish(10, 2, 0)}, clock)
    for _ in range(20):
        pacer.looked(["gate"], 3_000_000_000)
        clock.advance(2)
        pacer.tick()
    return pacer


def test_under_overload_the_channel_gets_what_the_floor_allows_and_the_rest_is_counted() -> None:
    clock = ManualClock()
    frames: Channel[Frame] = Channel(100)
    pacer = overloaded(clock)
    admission = Admission(frames, pacer)
    for number in range(50):  # five seconds
        assert admission.put(grey(8, 8, pts_ns=number * 100_000_000))
    assert len(frames) == 10
    assert pacer.counters("gate") == {"frames_overload": 40, "analyse_fps": 2}


def test_a_frame_that_found_no_room_is_offered_again_and_counted_once() -> None:
    clock = ManualClock()
    frames: Channel[Frame] = Channel(1, WhenFull.WAIT)
    frames.put(grey(8, 8))
    pacer = overloaded(clock)
    admission = Admission(frames, pacer)
    frame = grey(8, 8, pts_ns=500_000_000)
    assert not admission.put(frame, 0.001)
    assert not admission.put(frame, 0.001)
    frames.get(0)
    assert admission.put(frame, 0.001)
    assert pacer.counters("gate")["frames_overload"] == 0
