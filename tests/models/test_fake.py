from __future__ import annotations

import numpy as np
import pytest

from edgeguard.models import FakeSession

ONE, TWO = ({"y": np.full(1, n, np.float32)} for n in (1, 2))


def test_answers_in_turn_and_then_stays_with_the_last() -> None:
    session = FakeSession({"x": (1,)}, [ONE, TWO])
    said = [float(session.infer({"x": np.zeros(1, np.float32)})["y"][0]) for _ in range(4)]
    assert said == [1, 2, 2, 2]
    assert session.calls == 4


def test_keeps_a_copy_of_what_it_was_given_last() -> None:
    session = FakeSession({"x": (1,)}, [ONE])
    buffer = np.ones(1, np.float32)
    session.infer({"x": buffer})
    buffer[:] = 5
    assert session.last_feeds["x"][0] == 1


@pytest.mark.parametrize("script", [[], [ONE, {"z": ONE["y"]}]])
def test_refuses_a_script_that_makes_no_sense(script: list) -> None:
    with pytest.raises(ValueError, match="script"):
        FakeSession({}, script)
