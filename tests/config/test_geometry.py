from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edgeguard.config.geometry import Line, Zone
from tests.config.trees import TRIANGLE, faults, tree


def accepted(polygon: Any) -> bool:
    try:
        Zone.model_validate({"polygon": polygon})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "polygon",
    [
        TRIANGLE,
        [[0, 0], [1, 0], [1, 1], [0, 1]],
        [[0, 0], [1, 0], [0.5, 0.2], [1, 1]],  # concave
        [[0, 0], [0.5, 0], [1, 0], [1, 1]],  # a corner on a straight edge
    ],
)
def test_simple_polygons(polygon: Any) -> None:
    assert Zone.model_validate({"polygon": polygon}).polygon == tuple(
        (float(x), float(y)) for x, y in polygon
    )


@pytest.mark.parametrize(
    "polygon",
    [
        [],
        [[0, 0], [1, 1]],
        [[0, 0], [1, 1], [1, 0], [0, 1]],  # bow tie
        [[0, 0], [1, 0], [0, 0]],
        [[0, 0], [1, 0], [1, 0], [0, 1]],
        [[0, 0], [1, 0], [0, 1], [0, 0]],  # closed explicitly
        [[0, 0], [1, 0], [0.5, 0]],  # a line
        [[0, 0], [1, 0], [1, 1], [0.5, 0]],  # touches its own edge
        [[0, 0], [0.5, 0], [0.5, 0.5], [0.5, 0], [1, 1]],  # a hair
        [[0, 0], [640, 0], [0, 360]],
        [[0, 0], [1, 0], [0, -0.1]],
        [[0, 0], [1, 0], [0, float("nan")]],
        [[0, 0], [1, 0], [0, True]],
        [[0, 0], [1, 0], ["0", 1]],
        [[0, 0], [1, 0], [0, 1, 1]],
        [[0, 0], [1, 0], None],
        [[0, 0], [1, 0], {"x": 0, "y": 1}],
        "0,0,1,0,1,1",
        [[n / 100, n * n / 1e4] for n in range(65)],
    ],
)
def test_other_polygons_are_refused(polygon: Any) -> None:
    assert not accepted(polygon)


corners = st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=3, max_size=7, unique=True)


@settings(deadline=None)
@given(corners)
def test_simple_is_what_geometry_calls_simple(points: list[tuple[int, int]]) -> None:
    """Against shapely, on quarters, where both calculate exactly."""
    ring = shapely.LinearRing(points)
    assume(shapely.Polygon(points).area > 0 or not ring.is_simple)
    assert accepted([[x / 4, y / 4] for x, y in points]) == ring.is_simple


def test_a_line_needs_a_length() -> None:
    with pytest.raises(ValidationError, match="another point"):
        Line.model_validate({"start": [0.5, 0.5], "end": [0.5, 0.5]})


def test_each_bad_corner_is_told() -> None:
    zones = {"dock": {"polygon": [[0.1, 0.1], [640, 0.2], [0.2, "x"]]}}
    camera = {"url": "scene://yard", "zones": zones}
    assert faults(tree(cameras={"gate": camera}))[:2] == [
        "cameras.gate.zones.dock.polygon[1]: given [640, 0.2], expected a point [x, y], each from 0 to 1: "
        "shares of the picture, not pixels",
        'cameras.gate.zones.dock.polygon[2]: given [0.2, "x"], expected a point [x, y], each from 0 to 1: '
        "shares of the picture, not pixels",
    ]
