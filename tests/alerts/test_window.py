"""How the window follows the line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.window import Window

_SOON_NS, _LATE_NS = 2_000_000_000, 3_000_000_000


def test_it_grows_while_messages_are_confirmed_soon_and_no_further_than_allowed() -> None:
    window = Window(800, timeout_s=20)
    assert window.size == 200
    for _ in range(200):
        window.confirmed(_SOON_NS)
    assert window.size == 400
    for _ in range(1000):
        window.confirmed(_SOON_NS)
    assert window.size == 800


def test_it_does_not_grow_on_a_line_that_confirms_late() -> None:
    window = Window(800, timeout_s=20)
    for _ in range(1000):
        window.confirmed(_LATE_NS)
    assert window.size == 200


def test_it_is_halved_when_one_is_not_confirmed_and_begins_anew_at_a_new_connection() -> None:
    window = Window(800, timeout_s=20)
    for _ in range(600):
        window.confirmed(_SOON_NS)
    window.late()
    assert window.size == 400
    window.reset()
    assert window.size == 200


@given(st.integers(1, 1000), st.lists(st.sampled_from(["soon", "late", "lost", "reset"]), max_size=50))
def test_it_is_never_closed_nor_wider_than_allowed(most: int, events: list[str]) -> None:
    window = Window(most, timeout_s=20)
    for event in events:
        match event:
            case "soon":
                window.confirmed(_SOON_NS)
            case "late":
                window.confirmed(_LATE_NS)
            case "lost":
                window.late()
            case _:
                window.reset()
        assert min(most, 200) <= window.size <= most
