from __future__ import annotations

from edgeguard.clock import ManualClock
from edgeguard.runtime.census import Census, Outlook
from edgeguard.types import Counts

NOTHING = Counts("gate", zones={"dock": {}})


def someone(number: int = 1) -> Counts:
    return Counts("gate", {"person": number}, {"person": number}, {"dock": {"person": number}})


class Desk:
    """A census of one camera, and who takes down what it tells while there is room."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.told: list[Counts] = []
        self.room = True
        self.census = Census({"gate": Outlook(("dock",), 5.0)}, self.take, self.clock)

    def take(self, counts: Counts) -> bool:
        if self.room:
            self.told.append(counts)
        return self.room

    def after(self, seconds: float, counts: Counts | None = None) -> list[Counts]:
        """What is told `seconds` later, with a picture that shows `counts` if there is one."""
        self.clock.advance(seconds)
        if counts is not None:
            self.census.saw(counts)
        self.census.tell_news()
        told, self.told = self.told, []
        return told


def begun() -> Desk:
    desk = Desk()
    assert desk.after(0) == [NOTHING]
    return desk


def test_zero_is_told_at_once_so_that_nothing_old_stays() -> None:
    begun()


def test_a_change_is_told_once() -> None:
    desk = begun()
    assert desk.after(1, someone()) == [someone()]
    assert desk.after(1, someone()) == []


def test_changes_are_told_once_a_second_and_then_the_newest() -> None:
    desk = begun()
    assert desk.after(0.4, someone(1)) == []
    assert desk.after(0.4, someone(2)) == []
    assert desk.after(0.2) == [someone(2)]


def test_a_change_that_is_taken_back_in_time_is_no_news() -> None:
    desk = begun()
    assert desk.after(0.4, someone()) == []
    assert desk.after(0.4, NOTHING) == []
    assert desk.after(5) == []


def test_a_camera_that_gives_no_picture_counts_nothing() -> None:
    desk = begun()
    desk.after(1, someone())
    assert desk.after(5) == []
    assert desk.after(0.1) == [NOTHING]
    assert desk.after(1, someone()) == [someone()]


def test_what_found_no_room_is_offered_again() -> None:
    desk = begun()
    desk.room = False
    assert desk.after(1, someone(1)) == []
    desk.room = True
    assert desk.after(0, someone(2)) == [someone(2)]


def test_at_the_end_nothing_is_counted() -> None:
    desk = begun()
    desk.after(1, someone())
    desk.census.end()
    assert desk.told == [NOTHING]
