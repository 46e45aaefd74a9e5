"""A real clip through a real decoder behind a gate: what is decoded, what is given, and in which order."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from edgeguard.capture import ActivityGate, Gate, GstFrameSource, KeyframeGate, head
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError
from edgeguard.types import Frame, Showing
from tests.capture.test_activity import FPS, GOP, MOVING_S, QUIET_S, noisy_clip

TOTAL, BEGINS = (QUIET_S + MOVING_S) * FPS, QUIET_S * FPS


@pytest.fixture(scope="module", params=["h264", "h265"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noisy_clip(tmp_path_factory.mktemp("clip") / f"{request.param}.mkv", request.param)


class Eyes:
    """Sees whatever differs from the first picture."""

    def __init__(self) -> None:
        self._empty: np.ndarray | None = None

    def news(self, frame: Frame) -> bool:
        luma = frame.planes[0].astype(int)
        self._empty = luma if self._empty is None else self._empty
        return bool((np.abs(luma - self._empty) > 25).sum() > 300)


def play(clip: Path, gate: Gate, eyes: Eyes | None = None) -> list[tuple[int, Showing, bool]]:
    """Number in the clip, showing, and whether it was left alone, of every frame given."""
    source = GstFrameSource("gate", clip.as_uri(), SystemClock(), FPS, realtime=False, gate=gate)
    source.open()
    given = []
    try:
        while True:
            frame = source.read(5.0)
            if frame is None:
                continue
            news = eyes is not None and eyes.news(frame)
            if isinstance(gate, ActivityGate):
                gate.saw(frame.sequence, news)
            number = round((frame.media_ns or 0) * FPS / 1e9)
            given.append((number, frame.showing, news and frame.showing is Showing.GLANCE))
    except EndOfStreamError:
        return given
    finally:
        source.close()


def test_only_keyframes_are_decoded_while_nothing_moves_and_then_everything(clip: Path) -> None:
    gate = ActivityGate(partial(head, size=4096), hold_s=2.0)
    given = [(number, showing) for number, showing, alone in play(clip, gate, Eyes()) if not alone]
    numbers = [number for number, _ in given]
    assert numbers == sorted(set(numbers))
    assert set(range(BEGINS, TOTAL)) <= set(numbers)
    closed = {number for number, showing in given if showing is Showing.GLANCE}
    assert closed
    assert closed <= set(range(0, TOTAL, GOP))
    quiet = [number for number in numbers if 4 * GOP < number < BEGINS - GOP]
    assert all(number % GOP == 0 for number in quiet)
    told = gate.counters()
    assert told["gate"] in ("open: something moves", "open: something is seen")
    assert 0.3 < float(told["gate_decoded"]) < 0.95


def test_keyframes_alone_come_whatever_moves(clip: Path) -> None:
    given = play(clip, KeyframeGate())
    assert [number for number, _, _ in given] == list(range(0, TOTAL, GOP))
