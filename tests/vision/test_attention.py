"""What is news on a picture and what is not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.types import Detections
from edgeguard.vision.attention import Attention

LABELS = ("person", "car")


def seen(*things: tuple[int, float, float]) -> Detections:
    """Class, confidence, and how far to the right."""
    return Detections(
        np.array([(x, 10, x + 100, 210) for _, _, x in things], np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in things], np.float32),
        np.array([class_id for class_id, _, _ in things], np.int32),
    )


def attention(wanted: frozenset[str] | None = None) -> Attention:
    return Attention(LABELS, wanted, 0.5, 0.1)


def test_a_thing_that_stays_is_news_once() -> None:
    watch = attention()
    assert not watch.news(seen())
    assert watch.news(seen((0, 0.8, 0)))
    assert not watch.news(seen((0, 0.7, 2)))
    assert not watch.news(seen((0, 0.2, 1)))


def test_one_that_goes_is_news_and_so_is_another_class_in_its_place() -> None:
    watch = attention()
    watch.news(seen((0, 0.8, 0)))
    assert watch.news(seen((1, 0.8, 0)))
    assert watch.news(seen())
    assert not watch.news(seen())


def test_what_no_rule_asks_for_is_no_news() -> None:
    watch = attention(frozenset({"person"}))
    assert not watch.news(seen((1, 0.9, 0)))
    assert watch.news(seen((1, 0.9, 0), (0, 0.9, 0)))


def test_what_is_faint_is_no_news() -> None:
    assert not attention().news(seen((0, 0.45, 0)))


@given(st.floats(0.5, 20))
def test_one_that_moves_is_news_again_and_again_however_slowly(step: float) -> None:
    watch = attention()
    news = [watch.news(seen((0, 0.8, n * step))) for n in range(round(200 / step))]
    assert sum(news) >= 5
