"""What vision tells a gate, and who waits for it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeguard.capture import ActivityGate, KeyframeGate
from edgeguard.config.loading import parse
from edgeguard.runtime.assembly.gating import doorkeeper_of, gate_of
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.glancing import Doorkeeper, Lockstep
from edgeguard.types import Detections, Frame, PixelFormat, Showing
from edgeguard.vision.attention import Attention

LABELS = ("person", "car")


def frame(sequence: int, showing: Showing = Showing.LIVE) -> Frame:
    made = Frame("gate", sequence, 0, 0, 0, 640, 480, PixelFormat.BGR, planes=())
    return replace(made, showing=showing)


def person(x: float) -> Detections:
    return Detections(
        np.array([[x, 0, x + 50, 100]], np.float32), np.array([0.9], np.float32), np.array([0], np.int32)
    )


def test_a_glance_with_news_is_left_alone_and_a_frame_with_news_is_not() -> None:
    told: list[tuple[int, bool]] = []
    keeper = Doorkeeper(Attention(LABELS, None, 0.5, 0.1), lambda *answer: told.append(answer))
    assert not keeper.withholds(frame(0, Showing.GLANCE), Detections.empty())
    assert keeper.withholds(frame(1, Showing.GLANCE), person(10))
    assert not keeper.withholds(frame(2, Showing.CATCH_UP), person(200))
    assert not keeper.withholds(frame(3, Showing.GLANCE), person(201))
    assert told == [(0, False), (1, True), (2, True), (3, False)]


def test_a_clip_that_is_read_fast_waits_for_the_answer_to_a_glance_only() -> None:
    told: list[tuple[int, bool]] = []
    channel: Channel[Frame] = Channel(10)
    lockstep = Lockstep(channel, lambda *answer: told.append(answer))
    assert lockstep.put(frame(0))
    put = threading.Thread(target=lockstep.put, args=(frame(1, Showing.GLANCE),))
    put.start()
    while len(channel) < 2:
        time.sleep(0.001)
    assert put.is_alive()
    lockstep.tell(1, True)
    put.join(5)
    assert not put.is_alive()
    assert told == [(1, True)]


def test_one_that_is_never_answered_holds_nothing_up_for_good() -> None:
    channel: Channel[Frame] = Channel(10)
    assert Lockstep(channel, lambda *_: None, patience_s=0.01).put(frame(0, Showing.GLANCE))
    channel.close()
    assert not Lockstep(channel, lambda *_: None).put(frame(1, Showing.GLANCE))


@pytest.mark.parametrize(
    ("gate", "kind", "made"),
    [
        ("off", "zone_entered", None),
        ("auto", "zone_entered", ActivityGate),
        ("auto", "line_crossed", None),
        ("keyframes", "zone_entered", KeyframeGate),
    ],
)
def test_which_camera_has_a_gate(gate: str, kind: str, made: type | None, tmp_path: Path) -> None:
    place = "zone: dock" if kind == "zone_entered" else "line: entrance"
    config = parse(
        f"site: s\ndevice: d\nstate_dir: {tmp_path}\nmqtt: {{host: 127.0.0.1}}\ncameras:\n  gate:\n"
        f"    url: rtsp://192.0.2.1/\n    gate: {gate}\n"
        "    zones: {dock: {polygon: [[0, 0], [1, 0], [1, 1]]}}\n"
        "    lines: {entrance: {start: [0, 0.5], end: [1, 0.5]}}\n"
        f"rules: [{{kind: {kind}, name: r, camera: gate, {place}, classes: [person]}}]\n",
        "guard.yaml",
    )
    found = gate_of(config.cameras["gate"], config.rules)  # type: ignore[arg-type]
    assert type(found) is (made or type(None))
    keeper = doorkeeper_of(found, None, LABELS, [frozenset({"person"})], 0.5, 0.1)
    assert (keeper is not None) == (made is ActivityGate)
