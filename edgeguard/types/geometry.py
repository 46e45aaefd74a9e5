"""Points in relative image coordinates: 0..1 of width and height, origin at the top left."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
"""(x, y), each 0..1."""

Polygon = tuple[Point, ...]
"""At least three points; closed implicitly."""


@dataclass(frozen=True, slots=True)
class Line:
    """A directed line; looking from `start` to `end`, `left` and `right` name its sides."""

    start: Point
    end: Point
