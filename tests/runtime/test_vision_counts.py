"""What the vision thread counts, from its frames to whoever tells it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.rules import Headcount
from edgeguard.runtime import vision
from edgeguard.runtime.census import Census, Outlook
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.sight import Eye, Watch
from edgeguard.runtime.vision import VisionStage
from edgeguard.types import Counts, Detections, Frame, ModelRef, Observation
from edgeguard.vision.tracker import Tracker
from tests.support.pictures import grey

YARD = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
CAMERAS = ("gate", "dock")


class Finder:
    """A detector that finds one person in every picture, unless it is broken."""

    labels = ("person",)
    model = ModelRef("finder", None, "fake")
    broken = False

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        if self.broken:
            raise ValueError("the picture is upside down")
        box = np.array([[100, 50, 140, 200]], np.float32)
        return [Detections(box, np.array([0.9], np.float32), np.zeros(1, np.int32)) for _ in frames]


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.board = HealthBoard(self.clock)
        self.finder = Finder()
        self.frames: Channel[Frame] = Channel(10)
        self.told: list[Counts] = []
        observations: Channel[Observation] = Channel(10)
        eye = Eye(frozenset(CAMERAS), lambda: self.finder, None, self.board.part("detector"))
        outlooks = {name: Outlook(("yard",), 5.0) for name in CAMERAS}
        self.stage = VisionStage(
            self.frames,
            observations,
            [eye],
            self.watch,
            Shelf(),
            self.board.part("vision"),
            self.clock,
            Census(outlooks, self.tell, self.clock),
        )
        self.stage.open()
        self.stage.step()
        self.told.clear()

    def watch(self, camera: str, labels: tuple[str, ...]) -> Watch:
        return Watch(Tracker(camera, labels), [], Headcount(camera, {"yard": YARD}).update)

    def tell(self, counts: Counts) -> bool:
        self.told.append(counts)
        return True

    def look(self, source: str = "gate", after_s: float = 1.0) -> list[Counts]:
        """What is told of a picture."""
        self.clock.advance(after_s)
        self.frames.put(grey(source=source, pts_ns=self.clock.now_ns))
        return self.wait(0)

    def wait(self, seconds: float) -> list[Counts]:
        """What is told so much later without a picture."""
        self.clock.advance(seconds)
        self.stage.step()
        told, self.told = self.told, []
        return told


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(vision, "STEP_S", 0.001)
    return Bench()


NOBODY = Counts("gate", zones={"yard": {}})
SOMEBODY = Counts("gate", {"person": 1}, {"person": 1}, {"yard": {"person": 1}})


def test_who_is_seen_is_counted(bench: Bench) -> None:
    assert bench.look() == [SOMEBODY]
    assert bench.look() == []


def test_cameras_are_counted_each_by_itself(bench: Bench) -> None:
    bench.look()
    assert [counts.source for counts in bench.look("dock")] == ["dock"]


def test_a_camera_that_is_down_counts_nobody_and_the_other_goes_on(bench: Bench) -> None:
    bench.look()
    bench.look("dock")
    assert bench.look("dock", after_s=3.9) == []
    assert bench.look("dock", after_s=0.2) == [NOBODY]
    assert bench.look() == [SOMEBODY]


def test_pictures_that_cannot_be_analysed_count_nobody(bench: Bench) -> None:
    bench.look()
    bench.finder.broken = True
    told = [counts for _ in range(6) for counts in bench.look()]
    assert told == [NOBODY]


def test_at_the_end_nobody_is_counted(bench: Bench) -> None:
    bench.look()
    bench.stage.finish()
    assert bench.told == [NOBODY]
