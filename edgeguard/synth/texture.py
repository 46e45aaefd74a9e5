"""Surfaces: small pictures to be laid over walls and floors; all random numbers come from the caller."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.synth.solids import Colour

Texture = NDArray[Any]
"""(h, w, 3) or, with alpha last, (h, w, 4); float32, 0..255."""
Grey = NDArray[Any]
"""(h, w); float32."""
Size = tuple[int, int]
"""Height and width in pixels."""


def cloud(rng: np.random.Generator, size: int, cells: int, octaves: int = 4) -> Grey:
    """(size, size) smooth noise that tiles, mean 0, about -1..1; `cells` bumps along each side."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        n = min(cells << octave, size)
        grid = np.pad(rng.normal(0, 0.5, (n, n)).astype(np.float32), 2, mode="wrap")
        scale = size / n
        shift = -1.5 * scale - 0.5
        enlarge = np.array([[scale, 0, shift], [0, scale, shift]])
        total += 0.6**octave * cv2.warpAffine(grid, enlarge, (size, size), flags=cv2.INTER_CUBIC)
    return total


def plain(colour: Colour, height: int = 8, width: int = 8) -> Texture:
    """One colour."""
    return np.full((height, width, 3), colour, np.float32)


def rough(rng: np.random.Generator, colour: Colour, blotch: float, grain: float, size: int = 512) -> Texture:
    """Asphalt, concrete, grass: blotches of some centimetres to metres and fine grain."""
    light = 1 + blotch * cloud(rng, size, 3, 5) + grain * rng.normal(0, 1, (size, size)).astype(np.float32)
    return _lit(colour, light)


def corrugated(rng: np.random.Generator, colour: Colour, ribs: int, size: Size = (160, 960)) -> Texture:
    """Sheet metal with upright ribs, darker and dirtier towards the ground."""
    height, width = size
    x = np.arange(width, dtype=np.float32) * ribs / width
    light = 1 + 0.13 * np.sin(2 * np.pi * x) + 0.05 * np.sign(np.sin(2 * np.pi * x + 0.8))
    dirt = 1 - 0.18 * np.linspace(0, 1, height, dtype=np.float32) ** 3
    stain = 1 + 0.05 * cv2.resize(cloud(rng, 256, 6), (width, height))
    return _lit(colour, light[None, :] * dirt[:, None] * stain)


def slats(rng: np.random.Generator, colour: Colour, count: int, size: Size = (240, 240)) -> Texture:
    """A roller door."""
    height, width = size
    y = np.arange(height, dtype=np.float32) * count / height % 1
    light = 0.82 + 0.25 * np.sin(np.pi * y) ** 0.5
    stain = 1 + 0.06 * cv2.resize(cloud(rng, 128, 4), (width, height))
    return _lit(colour, light[:, None] * stain)


def bricks(rng: np.random.Generator, colour: Colour, rows: int, columns: int, brick_px: int = 8) -> Texture:
    """Rows of bricks, every second one shifted by half a brick."""
    h, w = rows * brick_px, columns * brick_px * 2
    y, x = np.mgrid[:h, :w]
    row = y // brick_px
    x = (x + row % 2 * brick_px) % w
    tint = 1 + 0.09 * rng.normal(0, 1, (rows, columns)).astype(np.float32)
    light = tint[row, x // (2 * brick_px)]
    joint = (y % brick_px < 1) | (x % (2 * brick_px) < 1)
    return _lit(colour, np.where(joint, 1.25, light).astype(np.float32))


def tiles(rng: np.random.Generator, colour: Colour, count: int, size: int = 512) -> Texture:
    """A square of `count` x `count` floor tiles."""
    step = size / count
    n = (np.arange(size) // step).astype(int)
    tint = (1 + 0.03 * rng.normal(0, 1, (count, count)).astype(np.float32))[np.ix_(n, n)]
    joint = np.arange(size) % step < 2
    tint[joint, :] *= 0.86
    tint[:, joint] *= 0.86
    return _lit(colour, tint + 0.02 * cloud(rng, size, 4))


def mesh(colour: Colour, opacity: float, cell_px: int, size: Size = (200, 1600)) -> Texture:
    """Chain-link fence: diagonal wires with holes between them."""
    y, x = np.mgrid[: size[0], : size[1]]
    wire = ((x + y) % cell_px < 2) | ((x - y) % cell_px < 2)
    return np.dstack([plain(colour, *size), np.where(wire, 255 * opacity, 0)]).astype(np.float32)


def foliage(rng: np.random.Generator, colour: Colour, size: Size = (128, 512)) -> Texture:
    """A hedge with a ragged top."""
    height, width = size
    leaves = _lit(colour, 1 + 0.4 * cloud(rng, width, 16, 5)[:height])
    top = height * (0.22 + 0.14 * cloud(rng, width, 6, 5)[0])
    cover = np.clip((np.arange(height)[:, None] - top[None, :]) / 3, 0, 1)
    return np.dstack([leaves, 255 * cover]).astype(np.float32)


def stripes(one: Colour, other: Colour, height: int, width: int, period_px: int) -> Texture:
    """Warning stripes at 45 degrees."""
    y, x = np.mgrid[:height, :width]
    first = (x + y) % period_px < period_px // 2
    return np.where(first[..., None], np.array(one), np.array(other)).astype(np.float32)


def lettering(text: str, ink: Colour, paper: Colour, height: int, width: int) -> Texture:
    """A sign."""
    sign = np.array(plain(paper, height, width), np.uint8)
    (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1, 2)
    scale = min(0.85 * width / w, 0.6 * height / h)
    at = (int((width - w * scale) / 2), int((height + h * scale) / 2))
    cv2.putText(sign, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, max(1, int(3 * scale)), cv2.LINE_AA)
    return sign.astype(np.float32)


def _lit(colour: Colour, light: Grey) -> Texture:
    return np.asarray(np.array(colour, np.float32) * light[..., None])
