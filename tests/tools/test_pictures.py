"""A program on a terminal of its own is asked, answered and drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from _pictures import Session, svg

ASKS = "name = input('Name: '); print(f'\\x1b[1;31mHello\\x1b[0m {name}'); input('Again: ')"


def test_it_reads_what_is_asked_and_types_the_answers(tmp_path: Path) -> None:
    session = Session([sys.executable, "-c", ASKS], tmp_path)
    session.wait_for("Name: ", anew=True)
    session.type("porter")
    assert session.wait_for(r"Hello\S* (\w+)")[1] == "porter"
    session.wait_for("Again: ", anew=True)
    session.type("")
    assert "Again:" in session.end(interrupt=False)


def test_what_is_never_asked_is_an_error(tmp_path: Path) -> None:
    session = Session([sys.executable, "-c", "print('no question')"], tmp_path)
    with pytest.raises(TimeoutError, match="no question"):
        session.wait_for("Name: ")


def test_a_picture_needs_nothing_from_elsewhere() -> None:
    drawn = svg("\x1b[1;31malarm\x1b[0m opened", "watch")
    assert drawn.startswith("<svg")
    assert "alarm" in drawn
    assert "@font-face" not in drawn
    _, comment, picture = drawn.replace('xmlns="http://www.w3.org/2000/svg"', "").partition("-->")
    assert comment
    assert "http" not in picture
