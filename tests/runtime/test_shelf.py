from __future__ import annotations

import pytest

from edgeguard.runtime.shelf import Shelf, View
from tests.support.pictures import grey
from tests.support.tracks import tracks


def view(sequence: int, source: str = "gate") -> View:
    return View(grey(source=source, sequence=sequence), tracks(0.0))


def found(shelf: Shelf, sequence: int | None, source: str = "gate", late_s: float = 0) -> int | None:
    view = shelf.find(source, sequence, grey().pts_ns + round(late_s * 1e9))
    return None if view is None else view.frame.sequence


@pytest.fixture
def shelf() -> Shelf:
    """Ten frames of one camera; something was noticed in every even one."""
    shelf = Shelf(noticed=3)
    for sequence in range(10):
        shelf.put(view(sequence), keep=sequence % 2 == 0)
    return shelf


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        (8, 8),
        (4, 4),
        (9, 9),
        (7, 9),  # nothing was noticed in it, so it was not kept
        (2, 9),  # kept, but too long ago
        (None, 9),
    ],
)
def test_a_frame_in_which_something_was_noticed_is_kept_for_a_while(
    shelf: Shelf, sequence: int | None, expected: int
) -> None:
    assert found(shelf, sequence) == expected


def test_cameras_do_not_push_each_other_off(shelf: Shelf) -> None:
    for sequence in range(100, 110):
        shelf.put(view(sequence, "dock"), keep=True)
    assert found(shelf, 4) == 4
    assert found(shelf, None, "dock") == 109


def test_a_source_without_pictures_has_none(shelf: Shelf) -> None:
    assert found(shelf, 3, "microphone") is None


def test_a_picture_from_another_time_proves_nothing(shelf: Shelf) -> None:
    assert found(shelf, None, late_s=5) == 9
    assert found(shelf, None, late_s=30) is None
    assert found(shelf, 8, late_s=30) == 8, "the very frame, however late it is asked for"
