"""What a quiet camera's decoder gets, and that nothing between is missed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.capture.activity_gate import ActivityGate, KeyframeGate, Waiting
from edgeguard.capture.ring import EncodedRing
from edgeguard.types import Packet, Showing

FPS, GOP = 10, 20
STEP_NS = 1_000_000_000 // FPS
PIXELS = 640 * 360


class Camera:
    """A stream through a gate, a decoder that gives each picture at once, and a vision that answers later.

    `things` is when something is in the picture; it moves, and is visible to vision, then.
    """

    def __init__(self, gate: ActivityGate, seed: int = 0, usual: float = 300.0, wavers: float = 0.1) -> None:
        self.gate = gate
        self.ring = EncodedRing(50_000_000, 12.0)
        self.dice = random.Random(seed)
        self.usual, self.wavers = usual, wavers
        self.number = self.sequence = 0
        self.tracked: list[tuple[int, Showing]] = []
        """Numbers of the pictures that the tracker got, and what they were given for."""
        self.decoded: list[int] = []
        self.latency = 1
        self.due: list[tuple[int, int, bool]] = []
        self.known = False
        gate.begin("")

    def play(self, pictures: int, moving: bool = False, visible: bool | None = None) -> None:
        for _ in range(pictures):
            self.step(moving, moving if visible is None else visible)

    def step(self, moving: bool, visible: bool) -> None:
        keyframe = self.number % GOP == 0
        size = self.usual * self.dice.lognormvariate(0, self.wavers) * (30 if keyframe else 1)
        size *= 8 if moving and not keyframe else 1
        running_ns = self.number * STEP_NS
        packet = Packet(running_ns, running_ns, running_ns + 5, round(size), keyframe, visible)
        self.ring.put(packet)
        self.answer()
        for admitted in self.gate.admit(packet, self.ring):
            self.decode(admitted)
        self.number += 1

    def decode(self, packet: Packet) -> None:
        assert packet.running_ns is not None
        self.decoded.append(packet.running_ns // STEP_NS)
        showing = self.gate.look(packet.running_ns, self.sequence, PIXELS)
        if showing is not None:
            visible = bool(packet.buffer)
            news, self.known = visible or self.known, visible
            self.due.append((self.number + self.latency, self.sequence, news))
            if not (news and showing is Showing.GLANCE):
                self.tracked.append((packet.running_ns // STEP_NS, showing))
            self.sequence += 1

    def answer(self) -> None:
        while self.due and self.due[0][0] <= self.number:
            _, sequence, news = self.due.pop(0)
            self.gate.saw(sequence, news)


def gate(**options: float) -> ActivityGate:
    return ActivityGate(lambda packet: b"", **options)


def quiet(camera: Camera, pictures: int = 200) -> Camera:
    camera.play(pictures)
    assert camera.gate.closed
    return camera


def test_a_quiet_camera_is_seen_by_its_keyframes_only() -> None:
    camera = quiet(Camera(gate()))
    before = len(camera.decoded)
    camera.play(200)
    assert [number % GOP for number in camera.decoded[before:]] == [0] * 10
    assert {showing for _, showing in camera.tracked[-9:]} == {Showing.GLANCE}


def test_motion_opens_it_from_the_last_keyframe_on_and_then_it_closes_again() -> None:
    camera = quiet(Camera(gate()), 210)
    camera.play(30, moving=True)
    assert camera.gate.waiting is Waiting.MOVING
    assert [number for number, _ in camera.tracked if number >= 200] == list(range(200, 240))
    late = {number for number, showing in camera.tracked if showing is Showing.CATCH_UP}
    assert set(range(201, 208)) <= late
    camera.play(120)
    assert camera.gate.closed
    assert camera.gate.counts.wakes_moved == 1


def test_what_only_a_glance_shows_is_followed_from_the_glance_before_on() -> None:
    camera = quiet(Camera(gate()), 205)
    for _ in range(30):
        camera.step(moving=False, visible=True)
    assert camera.gate.counts.wakes_seen == 1
    assert [number for number, _ in camera.tracked if number >= 200] == list(range(200, 235))


@pytest.mark.parametrize(("max_bytes", "max_s"), [(50_000_000, 0.5), (8_000, 12.0)])
def test_with_a_ring_that_holds_too_little_it_stays_open(max_bytes: int, max_s: float) -> None:
    camera = Camera(gate())
    camera.ring = EncodedRing(max_bytes, max_s)
    camera.play(200)
    assert not camera.gate.closed
    assert camera.gate.waiting is Waiting.SHORT_RING


def test_motion_waits_for_the_answer_to_the_glance_before_it() -> None:
    camera = quiet(Camera(gate()), 220)
    camera.latency = 6
    for number in range(40):
        camera.step(moving=number >= 1, visible=number >= 0)
    assert [number for number, _ in camera.tracked if number >= 200] == list(range(200, 260))


def test_a_thing_that_stays_and_does_not_move_lets_it_close() -> None:
    camera = quiet(Camera(gate()))
    camera.play(10, moving=True)
    camera.known = False
    camera.play(150, visible=False)
    assert camera.gate.closed


def test_motion_without_sightings_becomes_usual() -> None:
    camera = quiet(Camera(gate(restless_s=20)))
    camera.usual *= 6
    camera.play(150)
    assert not camera.gate.closed
    camera.play(250)
    assert camera.gate.closed


def test_a_stream_that_tells_nothing_is_watched_in_full_unless_keyframes_are_near() -> None:
    deaf, near = Camera(gate(blind_s=1.0), usual=9000, wavers=0.4), Camera(gate(), usual=9000, wavers=0.4)
    deaf.play(300)
    near.play(300)
    assert deaf.gate.waiting is Waiting.DEAF
    assert near.gate.closed


def test_without_times_or_with_few_keyframes_it_stays_open() -> None:
    timeless = gate()
    ring = EncodedRing(1_000_000, 5)
    packet = Packet(None, None, 5, 100, True, None)
    assert list(timeless.admit(packet, ring)) == [packet]
    assert timeless.waiting is Waiting.NO_TIMES
    assert timeless.look(None, 0, PIXELS) is Showing.LIVE
    rare = gate()
    for number in range(400):
        running_ns = number * STEP_NS
        packet = Packet(running_ns, running_ns, running_ns, 300, number % 100 == 0, None)
        assert list(rare.admit(packet, ring)) == [packet]
        rare.look(running_ns, number, PIXELS)
    assert rare.waiting is Waiting.FEW_KEYFRAMES


def test_times_that_stop_open_it() -> None:
    camera = quiet(Camera(gate()))
    stopped = (camera.number - 1) * STEP_NS
    for number in range(3):
        packet = Packet(stopped, stopped, stopped + 6 + number, 300, False, None)
        assert list(camera.gate.admit(packet, camera.ring)) == [packet]
        assert camera.gate.look(stopped, camera.sequence + number, PIXELS) is Showing.LIVE
    assert camera.gate.waiting is Waiting.NO_TIMES


def test_times_that_jump_make_it_begin_anew() -> None:
    camera = quiet(Camera(gate()))
    camera.number += 10_000
    camera.ring.clear()
    camera.play(1)
    assert not camera.gate.closed
    camera.number -= 10_000
    camera.play(1)
    assert not camera.gate.closed


def test_times_that_go_back_a_little_make_it_begin_anew_too() -> None:
    camera = quiet(Camera(gate()))
    last_ns = camera.number * STEP_NS
    camera.number -= 4 * FPS
    camera.ring.clear()
    camera.play(3)
    assert not camera.gate.closed
    for _ in range(3):  # what a decoder gives until the times have caught up
        assert camera.gate.look(last_ns, camera.sequence, PIXELS) is Showing.LIVE


@given(
    st.integers(0, 1000), st.lists(st.tuples(st.integers(1, 60), st.booleans(), st.booleans()), max_size=12)
)
@settings(max_examples=60, deadline=None)
def test_every_visible_picture_reaches_the_tracker_once_and_in_order(
    latency: int, acts: list[tuple[int, bool, bool]]
) -> None:
    camera = quiet(Camera(gate(hold_s=2.0)))
    camera.latency = 1 + latency % 8
    first = camera.number
    seen: list[int] = []
    for pictures, moving, visible in acts:
        if moving or visible:
            seen += range(camera.number, camera.number + pictures)
        camera.play(pictures, moving, visible)
    camera.play(60)
    numbers = [number for number, _ in camera.tracked]
    assert numbers == sorted(set(numbers))
    noticed = set(range(first, camera.number)) & set(numbers)
    long_enough = {number for number in seen if number + 10 < camera.number}
    at_a_keyframe = {number for number in seen if number % GOP == 0}
    assert at_a_keyframe <= noticed
    assert not long_enough or noticed


def test_keyframes_alone() -> None:
    gate = KeyframeGate()
    ring = EncodedRing(1_000_000, 5)
    gate.begin("h264")
    packets = [Packet(n, n, n, 100, n % 10 == 0, None) for n in range(30)]
    admitted = [one for packet in packets for one in gate.admit(packet, ring)]
    assert [one.running_ns for one in admitted] == [0, 10, 20]
    assert gate.look(10, 1, PIXELS) is Showing.CATCH_UP
