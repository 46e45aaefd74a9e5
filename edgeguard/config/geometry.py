"""Zones, masks and lines, in relative picture coordinates."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from edgeguard.config.section import Section
from edgeguard.types import Point, Polygon

_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_POINT_WORDS = "a point [x, y], each from 0 to 1: shares of the picture, not pixels"


def _simple(polygon: Polygon) -> Polygon:
    """The polygon, if no two of its edges meet anywhere but at a common corner."""
    edges = list(zip(polygon, polygon[1:] + polygon[:1], strict=True))
    for index, (start, end) in enumerate(edges):
        if start == end:
            raise ValueError(f"expected distinct corners; [{(index + 1) % len(edges)}] repeats [{index}]")
    for (i, first), (j, second) in combinations(enumerate(edges), 2):
        if _fold_back(first, second) if j - i in (1, len(edges) - 1) else _meet(first, second):
            raise ValueError(f"expected a polygon whose edges do not cross; those from [{i}] and [{j}] do")
    return polygon


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive for a turn to the left, negative to the right, 0 straight on."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(a: Point, b: Point, c: Point) -> bool:
    """Whether c, which lies on the line through a and b, lies between them."""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _meet(first: tuple[Point, Point], second: tuple[Point, Point]) -> bool:
    (a, b), (c, d) = first, second
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = (a, b, c), (a, b, d), (c, d, a), (c, d, b)
    return any(turn == 0 and _between(*end) for turn, end in zip(turns, ends, strict=True))


def _fold_back(first: tuple[Point, Point], second: tuple[Point, Point]) -> bool:
    """Whether two edges with one common corner lie on each other."""
    corner = (set(first) & set(second)).pop()
    a = first[0] if first[1] == corner else first[1]
    b = second[0] if second[1] == corner else second[1]
    ahead = (a[0] - corner[0]) * (b[0] - corner[0]) + (a[1] - corner[1]) * (b[1] - corner[1])
    return _turn(a, corner, b) == 0 and ahead > 0


def _corner(value: Any) -> Point:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(_is_share, value)):
        raise ValueError(f"expected {_POINT_WORDS}")
    return float(value[0]), float(value[1])


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


Corner = Annotated[
    Point,
    PlainValidator(_corner),
    PlainSerializer(lambda point: list(point)),
    WithJsonSchema(
        {"type": "array", "items": _SHARE, "minItems": 2, "maxItems": 2, "patternErrorMessage": _POINT_WORDS}
    ),
]
Outline = Annotated[
    tuple[Corner, ...], Field(strict=False, min_length=3, max_length=64), AfterValidator(_simple)
]


class Zone(Section):
    """A named part of a camera's picture."""

    polygon: Outline = Field(examples=[[[0.1, 0.5], [0.9, 0.5], [0.9, 0.95], [0.1, 0.95]]])
    """Corners [x, y], as shares (0..1) of the picture's width and height from its upper left; 3 to 64, closed
    implicitly, edges must not cross."""


class Line(Section):
    """A directed line across a camera's picture."""

    start: Corner = Field(examples=[[0.1, 0.6]])
    """Where it begins, [x, y] as shares (0..1). Left and right are meant looking from `start` to `end`."""
    end: Corner = Field(examples=[[0.9, 0.6]])
    """Where it ends, [x, y] as shares (0..1)."""

    @field_validator("end")
    @classmethod
    def _has_length(cls, end: Point, info: ValidationInfo) -> Point:
        if end == info.data.get("start"):
            raise ValueError("expected another point than `start`")
        return end
