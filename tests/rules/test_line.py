from __future__ import annotations

import pytest

from edgeguard.rules import LineCrossed
from edgeguard.types import Line, Measure
from tests.support.tracks import tracks

UPWARD = Line((0.5, 0.9), (0.5, 0.1))
"""Seen from its start, at the bottom, the right side of the picture is on its right."""


def cross(rule: LineCrossed, *places: tuple[float, float]) -> list[str]:
    return [
        str(seen.measures[0].value)
        for n, (x, y) in enumerate(places)
        for seen in rule.update(tracks(n / 5, (3, x, y)))
    ]


@pytest.mark.parametrize(
    ("places", "ways"),
    [
        ([(0.3, 0.5), (0.45, 0.5), (0.6, 0.5)], ["left_to_right"]),
        ([(0.7, 0.5), (0.55, 0.5), (0.4, 0.5)], ["right_to_left"]),
        ([(0.3, 0.5), (0.7, 0.5), (0.3, 0.5)], ["left_to_right", "right_to_left"]),
        ([(0.49, 0.5), (0.505, 0.5), (0.495, 0.5), (0.505, 0.5)], []),  # trembles on the line
        ([(0.3, 0.95), (0.7, 0.95)], []),  # passes beyond the line's end
        ([(0.3, 0.5), (0.4, 0.5)], []),
        ([(0.3, 0.5), (0.498, 0.5), (0.502, 0.5), (0.7, 0.5)], ["left_to_right"]),  # slowly, over the margin
    ],
)
def test_crossings(places: list[tuple[float, float]], ways: list[str]) -> None:
    assert cross(LineCrossed("gate", "gate-line", UPWARD), *places) == ways


def test_only_the_wanted_direction_is_told() -> None:
    rule = LineCrossed("gate", "gate-line", UPWARD, "right_to_left")
    assert cross(rule, (0.3, 0.5), (0.7, 0.5), (0.3, 0.5)) == ["right_to_left"]


def test_the_observation_says_which_line_who_and_which_way() -> None:
    rule = LineCrossed("gate", "gate-line", UPWARD)
    rule.update(tracks(0.0, (3, 0.3, 0.5)))
    (seen,) = rule.update(tracks(0.2, (3, 0.7, 0.5)))
    assert (seen.kind, seen.rule, seen.zone, seen.track_ids) == ("line_crossed", "gate", "gate-line", (3,))
    assert seen.measures == (Measure("direction", "left_to_right", "is", "any"),)


def test_a_line_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="no length"):
        LineCrossed("gate", "gate-line", Line((0.5, 0.5), (0.5, 0.5)))


def test_tracks_are_forgotten() -> None:
    rule = LineCrossed("gate", "gate-line", UPWARD)
    for n in range(100):
        rule.update(tracks(n * 1.0, (n, 0.3, 0.5)))
    assert len(rule._passages) <= 12
