from __future__ import annotations

from dataclasses import dataclass

import pytest

from edgeguard.clock import ManualClock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.runtime import sources
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.sources import SourceStage


@dataclass(frozen=True)
class Picture:
    number: int
    utc_ns: int = 17


class Clip:
    """Gives `length` pictures each time it is opened; None is a time-out."""

    name = "gate"

    def __init__(self, length: int, *, slow: bool = False) -> None:
        self.opened = 0
        self.closed = 0
        self._length = length
        self._slow = slow
        self._left: list[Picture | None] = []

    def open(self) -> None:
        self.opened += 1
        pictures = [Picture(number) for number in range(self._length)]
        self._left = [
            shown for picture in pictures for shown in ([None, picture] if self._slow else [picture])
        ]

    def read(self, timeout_s: float) -> Picture | None:
        if not self._left:
            raise EndOfStreamError("end of stream")
        return self._left.pop(0)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def part() -> Part:
    return HealthBoard(ManualClock()).part("camera/gate")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "STEP_S", 0.001)


def stage(clip: Clip, part: Part, out: Channel[Picture], *, loop: bool = False) -> SourceStage[Picture]:
    made = SourceStage("capture-gate", clip, out, part, loop=loop)
    made.open()
    return made


def numbers(out: Channel[Picture]) -> list[int]:
    return [picture.number for picture in out.get_all(0)]


@pytest.fixture
def out() -> Channel[Picture]:
    return Channel(100)


def test_what_is_read_is_handed_over_in_order_and_then_it_is_over(part: Part, out: Channel[Picture]) -> None:
    capture = stage(Clip(3, slow=True), part, out)
    for _ in range(6):
        capture.step()
    with pytest.raises(EndOfStreamError, match="played to its end"):
        capture.step()
    assert numbers(out) == [0, 1, 2]


def test_opening_is_not_yet_seeing(part: Part, out: Channel[Picture]) -> None:
    capture = stage(Clip(1, slow=True), part, out)
    capture.step()
    assert part.state is State.STARTING
    capture.step()
    assert part.state is State.OK
    assert part.report()["first_utc_ns"] == 17


def test_a_looping_clip_begins_again(part: Part, out: Channel[Picture]) -> None:
    clip = Clip(2)
    capture = stage(clip, part, out, loop=True)
    for _ in range(8):
        capture.step()
    assert numbers(out) == [0, 1, 0, 1, 0, 1]
    assert clip.opened == 3


@pytest.mark.parametrize("loop", [False, True])
def test_a_source_that_gives_nothing_is_a_failure_and_no_end(
    part: Part, out: Channel[Picture], loop: bool
) -> None:
    capture = stage(Clip(0), part, out, loop=loop)
    with pytest.raises(SourceError, match="gate ended before it gave anything") as caught:
        capture.step()
    assert not isinstance(caught.value, EndOfStreamError)


def test_a_full_channel_holds_the_source_back_and_nothing_is_lost(part: Part) -> None:
    out: Channel[Picture] = Channel(1, WhenFull.WAIT)
    capture = stage(Clip(4), part, out)
    taken: list[int] = []
    for _ in range(3):
        capture.step()
        capture.step()  # nobody takes anything: it returns all the same, and so shows that it lives
        taken += numbers(out)
    assert taken == [0, 1, 2]


def test_closing_lets_go_of_what_was_held(part: Part) -> None:
    clip, out = Clip(3), Channel[Picture](1, WhenFull.WAIT)
    capture = stage(clip, part, out)
    for _ in range(3):
        capture.step()
    capture.close()
    assert clip.closed == 1
    out.get_all(0)
    capture.open()
    capture.step()
    assert numbers(out) == [0]
